import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DecodedPoint } from '../../src/otlp/decode-request.fixture.js';
import { until } from '../../src/testing/until.js';
import { startAgent, writeConfig } from '../agent.js';
import { startCollector } from './collector.js';
import { OutputFile } from './output-file.js';
import { isWithout } from './peers.js';

/** An agent that receives OTLP and writes it to a file. */
async function startRelay(written: OutputFile) {
  const config = writeConfig(`
receivers: {otlp: {protocols: {grpc: {endpoint: "localhost:0"}, http: {endpoint: "localhost:0"}}}}
exporters: {file: {path: ${written.path}, flush_interval: 100ms}}
service:
  pipelines: {metrics: {receivers: [otlp], exporters: [file]}}
  telemetry: {metrics: {level: none}}
`);
  const relay = startAgent(['run', '-c', config]);
  const grpc = await relay.waitFor(/OTLP\/gRPC at http:\/\/(\S+)/u);
  const http = await relay.waitFor(/OTLP\/HTTP at (\S+)/u);
  return { relay, grpc, http };
}

/** Everything except the scope, which is that of the last sender. */
function describe(point: DecodedPoint): string {
  const compared = { ...point, scope: '' };
  return JSON.stringify(compared, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

function listPoints({ points }: OutputFile): string[] {
  return points
    .filter(({ value }) => value !== undefined)
    .map(describe)
    .toSorted();
}

type Relay = Awaited<ReturnType<typeof startRelay>>;

const ways: readonly (readonly [name: string, exporter: string, settings: (relay: Relay) => string])[] = [
  ['gRPC', 'otlp', ({ grpc }) => `endpoint: "${grpc}", tls: {insecure: true}`],
  ['HTTP/protobuf', 'otlphttp', ({ http }) => `endpoint: "${http}"`],
  ['HTTP/JSON', 'otlphttp', ({ http }) => `endpoint: "${http}", encoding: json`],
];

for (const [name, exporter, settings] of ways) {
  test(
    `what a Collector sends over ${name} equals what it received, start times included`,
    { skip: isWithout('otelcol') },
    async (t) => {
      const relayed = new OutputFile();
      const relay = await startRelay(relayed);
      const collector = await startCollector(t, {
        over: `
exporters: {${exporter}: {${settings(relay)}, sending_queue: {num_consumers: 1}}}
service: {pipelines: {metrics: {exporters: [file, ${exporter}]}}}
`,
      });
      const config = writeConfig(`
receivers: {process: {collection_interval: 200ms}, host: {collection_interval: 200ms}}
exporters: {otlp_grpc: {endpoint: "localhost:4317", tls: {insecure: true}}}
service:
  pipelines: {metrics: {receivers: [process, host], exporters: [otlp_grpc]}}
  telemetry: {metrics: {level: none}}
`);
      const node = startAgent(['run', '-c', config]);
      await until(() => listPoints(relayed).length > 500);
      assert.equal((await node.stop()).code, 0);
      await collector.stop();
      await until(() => listPoints(relayed).length >= listPoints(collector.written).length);
      assert.equal((await relay.relay.stop()).code, 0);
      assert.deepEqual(listPoints(relayed), listPoints(collector.written));
    },
  );
}
