/** A unit of work with predefined names. */
export interface PresetUnit {
  readonly name: string;
  readonly metric: string;
  /** Which value of a histogram counts. */
  readonly value: 'count' | 'sum';
  readonly minus: string | null;
  readonly attributes: Readonly<Record<string, string>>;
}

export const presetNames = ['none', 'vllm', 'tgi', 'http'] as const;

/** Units of servers, with the names of their metrics from the receivers `prometheus` and `otlp`. */
export const presets: Readonly<Record<(typeof presetNames)[number], readonly PresetUnit[]>> = {
  none: [],
  // vllm/v1/metrics/loggers.py; the client library for Prometheus adds `_total` to counters. The histogram of tokens per
  // engine step counts the steps.
  vllm: [
    { ...createUnit('prompt_token', 'vllm:prompt_tokens_total'), minus: 'vllm:prompt_tokens_cached_total' },
    createUnit('generated_token', 'vllm:generation_tokens_total'),
    createUnit('step', 'vllm:iteration_tokens_total'),
  ],
  // https://huggingface.co/docs/text-generation-inference/reference/metrics; tokens are in histograms of requests.
  tgi: [
    createUnit('prompt_token', 'tgi_request_input_length', 'sum'),
    createUnit('generated_token', 'tgi_request_generated_tokens', 'sum'),
    createUnit('step', 'tgi_batch_inference_count'),
  ],
  // OpenTelemetry semantic conventions for HTTP: this histogram has one value per request.
  http: [createUnit('request', 'http.server.request.duration')],
};

function createUnit(name: string, metric: string, value: PresetUnit['value'] = 'count'): PresetUnit {
  return { name, metric, value, minus: null, attributes: {} };
}
