import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { openHttpBackend } from '../src/http/http-backend.fixture.js';
import { ownAddress } from '../src/http/own-address.fixture.js';
import { makeCgroup, runShellIn } from '../src/linux/cgroup/real-cgroups.fixture.js';
import { decodePoints, type DecodedPoint } from '../src/otlp/decode-request.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent, writeConfig } from './agent.js';
import { lastValues, total } from './sums.js';

/** One joule per second of CPU time. */
const createConfig = (url: string) =>
  writeConfig(`
receivers:
  process: {collection_interval: 200ms}
  cgroup: {collection_interval: 200ms}
  estimate: {collection_interval: 200ms, idle_power: 0, max_power: ${availableParallelism()}}
processors: {attribution: {views: [process, cgroup], process_limit: 0, group_limit: 0}}
exporters: {otlp_http: {endpoint: ${url}, compression: none}}
service:
  pipelines: {metrics: {receivers: [process, cgroup, estimate], processors: [attribution], exporters: [otlp_http]}}
  telemetry: {metrics: {level: none}}
`);

test('the energy of 2,000 short processes is charged to their cgroup, and none of it to a bystander', async (t) => {
  const made = makeCgroup(t, 2);
  if (typeof made === 'string') return t.skip(made);
  const backend = await openHttpBackend(t, { address: ownAddress });
  const points = (metric: string): readonly DecodedPoint[] =>
    backend.received.flatMap(({ bytes }) => decodePoints(bytes)).filter((point) => point.name === metric);
  const chargedTo = (metric: string, attribute: string, value: unknown) =>
    total(lastValues(points(metric).filter(({ resource }) => resource[attribute] === value)));
  const bystander = spawn('sleep', ['600'], { stdio: 'ignore' });
  t.after(() => bystander.kill('SIGKILL'));
  const agent = startAgent(['run', '-c', createConfig(backend.url)]);
  t.after(() => agent.stop('SIGKILL'));
  await agent.waitFor(/Everything is ready/);
  await until(() => points('ledger.energy').length > 0);
  const loop = 'i=0; while [ $i -lt 2000 ]; do /bin/true; i=$((i+1)); done';
  const used = await runShellIn(t, made, loop);
  assert.ok(used > 0.2, `${used} s`);
  const charged = () => chargedTo('linux.cgroup.energy', 'linux.cgroup.path', made.path);
  await until(() => charged() >= 0.9 * used);
  t.diagnostic(`${charged()} J of ${used} s`);
  assert.ok(charged() <= 1.05 * used, `${charged()} J of ${used} s`);
  assert.ok(chargedTo('process.energy', 'process.pid', bystander.pid) < 0.001 * used);
});
