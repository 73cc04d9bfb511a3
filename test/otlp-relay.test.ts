import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listPoints, type DecodedPoint, type ResourceMetrics } from '../src/otlp/decode-request.fixture.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent, writeConfig } from './agent.js';

const examples = fileURLToPath(new URL('../../otel-examples/relay/', import.meta.url));

/** Side by side on one machine, without telemetry of their own. */
const quiet = 'service: {telemetry: {metrics: {level: none}}}\n';

/** The points with a value in a file of OTLP JSON lines, as texts that can be compared. */
function readPoints(path: string): string[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const points = lines.flatMap((line) => {
    // Format of the file exporter.
    const { resourceMetrics } = JSON.parse(line) as { resourceMetrics: readonly ResourceMetrics[] };
    return listPoints(resourceMetrics);
  });
  return points.filter(({ value }) => value !== undefined).map(formatPoint);
}

function formatPoint(point: DecodedPoint): string {
  return JSON.stringify(point, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

test('one agent relays the points of another: everything arrives as measured, even after the relay was down', async () => {
  const folder = createFolder();
  const [sentPath, relayedPath] = [join(folder, 'sent.jsonl'), join(folder, 'relayed.jsonl')];
  const relayEnv = (port: string) => ({
    RELAY_GRPC: `localhost:${port}`,
    RELAY_HTTP: 'localhost:0',
    RELAY_PROMETHEUS: 'localhost:0',
    RELAY_FILE: relayedPath,
  });
  const relayArgs = ['run', '-c', join(examples, 'relay.yaml'), '-c', writeConfig(quiet)];
  const relay = startAgent(relayArgs, relayEnv('0'));
  const port = await relay.waitFor(/OTLP\/gRPC at http:\/\/\S+:(\d+)/u);
  await relay.waitFor(/Everything is ready/u);
  const over =
    writeConfig(`receivers: {process: {collection_interval: 200ms}, host: {collection_interval: 200ms}}
exporters:
  file: {path: ${sentPath}, flush_interval: 100ms}
  otlp_grpc: {retry_on_failure: {initial_interval: 50ms, max_interval: 100ms}}
service: {pipelines: {metrics: {exporters: [file, otlp_grpc]}}, telemetry: {metrics: {level: none}}}
`);
  const node = startAgent(['run', '-c', join(examples, 'node.yaml'), '-c', over], {
    RELAY: `localhost:${port}`,
  });
  await until(() => readPoints(relayedPath).length > 0);
  // It accepts its complete queue; later points are queued at the node.
  assert.equal((await relay.stop()).code, 0);
  const sentBefore = readPoints(sentPath).length;
  await until(() => readPoints(sentPath).length > sentBefore);
  const again = startAgent(relayArgs, relayEnv(port));
  await again.waitFor(/Everything is ready/u);
  const relayedBefore = readPoints(relayedPath).length;
  await until(() => readPoints(relayedPath).length > relayedBefore);
  assert.equal((await node.stop()).code, 0);
  assert.equal((await again.stop()).code, 0);
  const sent = readPoints(sentPath);
  assert.ok(sent.length > 100, `${sent.length} points`);
  assert.deepEqual([...new Set(readPoints(relayedPath))].toSorted(), sent.toSorted());
});
