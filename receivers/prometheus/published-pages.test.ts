import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPageReader, showValues } from './page.fixture.js';

// Pages with the names, types, order and notation of the DCGM exporter and vLLM, but other values.

const gpu =
  '{gpu="0",UUID="GPU-00000000-0000-0000-0000-000000000001",device="nvidia0",modelName="NVIDIA L40S"}';
const dcgm = `# HELP DCGM_FI_DEV_SM_CLOCK SM clock frequency (in MHz).
# TYPE DCGM_FI_DEV_SM_CLOCK gauge
DCGM_FI_DEV_SM_CLOCK${gpu} 210
# HELP DCGM_FI_DEV_MEMORY_TEMP Memory temperature (in C).
# TYPE DCGM_FI_DEV_MEMORY_TEMP gauge
DCGM_FI_DEV_MEMORY_TEMP${gpu} 9223372036854775794
# HELP DCGM_FI_DEV_POWER_USAGE Power draw (in W).
# TYPE DCGM_FI_DEV_POWER_USAGE gauge
DCGM_FI_DEV_POWER_USAGE${gpu} 34.156000
# HELP DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION Total energy consumption since boot (in mJ).
# TYPE DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION counter
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION${gpu} 31035686671
`;

test('a page of the DCGM exporter has its energy as a counter, in mJ as published', () => {
  const reader = createPageReader();
  const labels = gpu.replaceAll(', ', ',');
  const [table] = reader.read(dcgm);
  assert.deepEqual(showValues(table ? [table] : []), {
    [`DCGM_FI_DEV_SM_CLOCK${labels}`]: 210,
    // The exporter's value for a missing sensor.
    [`DCGM_FI_DEV_MEMORY_TEMP${labels}`]: 2 ** 63,
    [`DCGM_FI_DEV_POWER_USAGE${labels}`]: 34.156,
    [`DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION${labels}`]: 31_035_686_671,
  });
  assert.deepEqual(
    table?.series.map(({ metric: { kind } }) => kind),
    ['gauge', 'gauge', 'gauge', 'counter'],
  );
  // Older versions write a space after each comma: the series is the same.
  const [older] = createPageReader().read(dcgm.replaceAll('",', '", '));
  assert.deepEqual(older?.series[0]?.attributes, table?.series[0]?.attributes);
});

const model = 'model_name="org/model-7b"';
const vllm = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",${model}} 3.0
# HELP vllm:kv_cache_usage_perc KV-cache usage. 1 means 100 percent usage.
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",${model}} 0.4508602
# HELP vllm:prompt_tokens_total Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{engine="0",${model}} 4.2421665e+07
# HELP vllm:prompt_tokens_created Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_created gauge
vllm:prompt_tokens_created{engine="0",${model}} 1.7592000001e+09
# HELP vllm:time_to_first_token_seconds Histogram of time to first token in seconds.
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_sum{engine="0",${model}} 0.15297412872314453
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.001",${model}} 0.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",${model}} 3.0
vllm:time_to_first_token_seconds_count{engine="0",${model}} 3.0
`;

test('a page of vLLM has counters of tokens, and its histograms in pieces', () => {
  const tables = createPageReader().read(vllm);
  const found = tables.flatMap(({ series, values }) =>
    series.map(({ metric, attributes }, i) => [metric.name, metric.kind, attributes['le'], values[i]]),
  );
  assert.deepEqual(found, [
    ['vllm:num_requests_running', 'gauge', undefined, 3],
    ['vllm:kv_cache_usage_perc', 'gauge', undefined, 0.450_860_2],
    ['vllm:prompt_tokens_total', 'counter', undefined, 42_421_665],
    ['vllm:prompt_tokens_created', 'gauge', undefined, 1_759_200_000.1],
    ['vllm:time_to_first_token_seconds_sum', 'counter', undefined, 0.152_974_128_723_144_53],
    ['vllm:time_to_first_token_seconds_bucket', 'counter', '0.001', 0],
    ['vllm:time_to_first_token_seconds_bucket', 'counter', '+Inf', 3],
    ['vllm:time_to_first_token_seconds_count', 'counter', undefined, 3],
  ]);
});
