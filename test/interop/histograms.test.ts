import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { encodeRequest, type Described } from '../../receivers/otlp/request.fixture.js';
import { decodeHistograms, type DecodedHistogram } from '../../src/otlp/decode-request.fixture.js';
import { until } from '../../src/testing/until.js';
import { startAgent, writeConfig } from '../agent.js';
import { startCollector } from './collector.js';
import { isWithout, peerPath } from './peers.js';

const time = BigInt(Date.now()) * 1_000_000n;
const at = { start: time - 60_000_000_000n, time, attributes: { route: '/', code: 200 } };

const metrics: readonly Described[] = [
  {
    name: 'duration',
    unit: 's',
    description: 'Duration of requests',
    kind: 'histogram',
    points: [
      {
        ...at,
        histogram: {
          count: 6,
          sum: 4.5,
          min: 0.01,
          max: 2,
          explicitBounds: [0.1, 1],
          bucketCounts: [1, 2, 3],
        },
      },
      {
        ...at,
        attributes: {},
        histogram: { count: 0, sum: 0, explicitBounds: [0.1, 1], bucketCounts: [0, 0, 0] },
      },
    ],
  },
  {
    name: 'size',
    description: 'Size',
    kind: 'exponentialHistogram',
    points: [
      {
        ...at,
        histogram: {
          count: 13,
          sum: -3,
          scale: 3,
          zeroCount: 1,
          zeroThreshold: 0.25,
          positive: { offset: -7, bucketCounts: [1, 0, 2] },
          negative: { offset: 4, bucketCounts: [4, 5] },
        },
      },
    ],
  },
];

/** Everything except the scope, which is that of the last sender. */
function describe(points: readonly DecodedHistogram[]): readonly string[] {
  return points
    .map((point) =>
      JSON.stringify({ ...point, scope: '' }, (_, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      ),
    )
    .toSorted();
}

/** Sends the histograms to an agent. @returns the request */
async function send(agent: Pick<ReturnType<typeof startAgent>, 'waitFor'>): Promise<Buffer> {
  const http = await agent.waitFor(/OTLP\/HTTP at (\S+)/u);
  const body = Buffer.from(encodeRequest({ metrics }));
  const headers = { 'content-type': 'application/x-protobuf' };
  const response = await fetch(`${http}/v1/metrics`, { method: 'POST', headers, body });
  assert.deepEqual([response.status, (await response.arrayBuffer()).byteLength], [200, 0]);
  return body;
}

for (const [exporter, settings] of [
  ['otlp_grpc', 'endpoint: "localhost:4317", tls: {insecure: true}'],
  ['otlp_http', 'endpoint: "http://localhost:4318"'],
] as const) {
  test(
    `a Collector gets the histograms that an agent was sent, by ${exporter}`,
    { skip: isWithout('otelcol') },
    async (t) => {
      const collector = await startCollector(t);
      const config = writeConfig(`
receivers: {otlp: {protocols: {http: {endpoint: "localhost:0"}}}}
exporters: {${exporter}: {${settings}}}
service:
  pipelines: {metrics: {receivers: [otlp], exporters: [${exporter}]}}
  telemetry: {metrics: {level: none}}
`);
      const agent = startAgent(['run', '-c', config]);
      const body = await send(agent);
      await until(() => collector.written.histograms.length >= 3);
      assert.equal((await agent.stop()).code, 0);
      assert.deepEqual(describe(collector.written.histograms), describe(decodeHistograms(body)));
      const page = await (await fetch('http://localhost:9465/metrics')).text();
      assert.match(page, /^duration_seconds_bucket\{.*le="1"\} 3$/mu);
    },
  );
}

test('promtool accepts the page of histograms', { skip: isWithout('promtool') }, async () => {
  const config = writeConfig(`
receivers: {otlp: {protocols: {http: {endpoint: "localhost:0"}}}}
exporters: {prometheus: {endpoint: "localhost:0"}}
service:
  pipelines: {metrics: {receivers: [otlp], exporters: [prometheus]}}
  telemetry: {metrics: {level: none}}
`);
  const agent = startAgent(['run', '-c', config]);
  await send(agent);
  const page = await (await fetch(await agent.waitFor(/Serving metrics at (\S+)/u))).text();
  assert.equal((await agent.stop()).code, 0);
  const { status, stderr } = spawnSync(peerPath('promtool'), ['check', 'metrics'], {
    input: page,
    encoding: 'utf8',
  });
  assert.deepEqual([status, stderr], [0, ''], page);
  assert.match(page, /^duration_seconds_bucket\{code="200",route="\/",.*le="\+Inf"\} 6$/mu);
  assert.match(page, /^size_bucket\{.*le="0.25"\} 10$/mu);
});
