import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openHttpBackend } from '../src/http/http-backend.fixture.js';
import { decodePoints } from '../src/otlp/decode-request.fixture.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { runAgent, startAgent, writeConfig } from './agent.js';
import { repositoryRoot } from './component-folders.js';

const preset = fileURLToPath(new URL('config/fleet.yaml', repositoryRoot));

test('the preset for fleets is valid', async () => {
  const { code, stdout, stderr } = await runAgent(['validate', '-c', preset]);
  assert.equal(code, 0, stdout + stderr);
});

test('the preset for fleets sends joules of units and containers, and no series of processes', async (t) => {
  const backend = await openHttpBackend(t);
  // The same with a shorter interval, and over HTTP, which is decoded here.
  const shorter = writeConfig(`
receivers:
  cgroup: {collection_interval: 200ms}
  process: {collection_interval: 200ms}
  rapl: {sampling_interval: 200ms}
  nvml: {collection_interval: 1s}
  estimate: {collection_interval: 200ms}
exporters:
  otlp_http: {endpoint: ${backend.url}, sending_queue: {storage: file_storage}}
service:
  extensions: [file_storage]
  pipelines: {metrics: {exporters: [otlp_http]}}
`);
  const agent = startAgent(['run', '-c', preset, '-c', shorter], { STATE_DIRECTORY: createFolder() });
  t.after(() => agent.stop('SIGKILL'));
  const points = () => backend.received.flatMap(({ bytes }) => decodePoints(bytes));
  await until(() => points().some(({ name }) => name === 'systemd.unit.energy'));
  assert.equal((await agent.stop()).code, 0);
  const names = new Set(points().map(({ name }) => name));
  assert.ok(names.has('ledger.energy'));
  assert.ok(names.has('hw.energy') || names.has('hw.host.energy'));
  const strange = [...names].filter((name) => !/(?:\.energy|^attribution\.error)$/u.test(name));
  assert.deepEqual(strange, []);
  assert.deepEqual(
    [...names].filter((name) => /process|program/u.test(name)),
    [],
  );
});
