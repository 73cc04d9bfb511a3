import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factory as work } from '../processors/work/factory.js';
import { scrape, servePage } from '../receivers/prometheus/exporter.fixture.js';
import { createFakeContext, createTableCollector } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import type { Series } from '../src/model/series.js';
import { createRow, type Table } from '../src/model/table.js';
import { until } from '../src/testing/until.js';

/** Pages in the format of vLLM and TGI, after some requests. */
const pages = {
  vllm: (requests: number) => `# HELP vllm:prompt_tokens_total Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{engine="0",model_name="m"} ${1e6 + 100 * requests}
# HELP vllm:prompt_tokens_cached_total Number of cached prompt tokens (local + external).
# TYPE vllm:prompt_tokens_cached_total counter
vllm:prompt_tokens_cached_total{engine="0",model_name="m"} ${1000 + 90 * requests}
# HELP vllm:generation_tokens_total Number of generation tokens processed.
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{engine="0",model_name="m"} ${500 + 20 * requests}
# HELP vllm:iteration_tokens_total Histogram of number of tokens per engine_step.
# TYPE vllm:iteration_tokens_total histogram
vllm:iteration_tokens_total_bucket{engine="0",le="+Inf",model_name="m"} ${7 + 5 * requests}
vllm:iteration_tokens_total_count{engine="0",model_name="m"} ${7 + 5 * requests}
vllm:iteration_tokens_total_sum{engine="0",model_name="m"} ${9 + 120 * requests}
`,
  tgi: (requests: number) => `# TYPE tgi_batch_inference_count counter
tgi_batch_inference_count{method="prefill"} ${3 + requests}
tgi_batch_inference_count{method="decode"} ${40 + 4 * requests}

# TYPE tgi_request_input_length histogram
tgi_request_input_length_bucket{le="+Inf"} ${requests}
tgi_request_input_length_sum ${70 + 10 * requests}
tgi_request_input_length_count ${requests}

# TYPE tgi_request_generated_tokens histogram
tgi_request_generated_tokens_bucket{le="+Inf"} ${requests}
tgi_request_generated_tokens_sum ${30 + 20 * requests}
tgi_request_generated_tokens_count ${requests}
`,
};

/** Increase of each unit per request: 10 of 100 prompt tokens were not cached. */
const perRequest = { prompt_token: 10, generated_token: 20, step: 5 };

function isPage({ series }: Table): boolean {
  return series.some(({ metric }) => /^(?:vllm:|tgi_)/u.test(metric.name));
}

const cases = Object.entries(pages).flatMap(([preset, page]) =>
  [false, true].map((isSplit) => ({ preset, page, isSplit })),
);

for (const { preset, page, isSplit } of cases) {
  const how = isSplit ? 'in pieces' : 'as histograms';
  test(`work reads the units of ${preset} from its page, as the receiver prometheus publishes them ${how}`, async (t) => {
    let requests = 0;
    const target = await servePage(t, () => page(requests++));
    const job = { job_name: 'llm', scrape_interval: '250ms', static_configs: [{ targets: [target] }] };
    const { next } = await scrape(t, [{ ...job, scrape_timeout: '250ms', split_histograms: isSplit }]);
    // On a loaded machine, a scrape may fail.
    await until(() => next.tables.filter(isPage).length >= 4);
    const out = createTableCollector();
    const settings = parseSettings(work.schema, { window: '1ms', max_lag: '1h', workloads: [{ preset }] });
    const processor = work.create(settings, createFakeContext(), out);
    const [first] = next.tables;
    assert.ok(first);
    const energy: Series = {
      metric: { name: 'service.energy', unit: 'J', description: '', kind: 'counter', valueType: 'double' },
      resource: { attributes: { 'service.name': 'llm' } },
      attributes: {},
      start: first.epoch,
    };
    assert.equal(next.histograms.length > 0, !isSplit);
    const feeds = [
      ...next.tables.map((table) => ({ at: table.epoch, feed: () => processor.consume(table) })),
      ...next.histograms.map((table) => ({
        at: table.epoch,
        feed: () => processor.consumeHistograms?.(table),
      })),
    ];
    for (const { at, feed } of feeds.toSorted((a, b) => (a.at < b.at ? -1 : 1))) {
      feed();
      processor.consume(createRow([energy], at, Float64Array.of(Number(at - first.epoch) / 1e9)));
    }
    // A joule per second and windows of a millisecond: the growth in a window is the amount of each unit.
    const growths = out.tables.flatMap(({ series, values }) =>
      [...values.entries()].flatMap(([cell, value]) => {
        const { attributes } = series[cell % series.length] ?? assert.fail();
        const isRatio = attributes['work.method'] === 'ratio' && value > 0;
        return isRatio ? [[String(attributes['work.unit']), 1e-3 / value] as const] : [];
      }),
    );
    const steps = growths.filter(([unit]) => unit === 'step').map(([, growth]) => growth);
    assert.ok(steps.length > 100, `${steps.length} windows`);
    for (const [unit, expected] of Object.entries(perRequest)) {
      const found = growths.filter(([name]) => name === unit).map(([, growth]) => growth);
      assert.equal(found.length, steps.length);
      for (const [i, growth] of found.entries()) {
        const ratio = growth / (steps[i] ?? NaN);
        assert.ok(Math.abs(ratio - expected / perRequest.step) < 1e-6, `${unit}: ${ratio}`);
      }
    }
  });
}
