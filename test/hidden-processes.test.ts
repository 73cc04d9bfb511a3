import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { openHttpBackend } from '../src/http/http-backend.fixture.js';
import { ownAddress } from '../src/http/own-address.fixture.js';
import { makeCgroup, runShellIn } from '../src/linux/cgroup/real-cgroups.fixture.js';
import { decodePoints, type DecodedPoint } from '../src/otlp/decode-request.fixture.js';
import { skipWithout } from '../src/testing/needs.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent, writeConfig } from './agent.js';
import { lastValues, total } from './sums.js';

const inNamespace = ['unshare', '--fork', '--kill-child', '--pid', '--mount-proc'];
const skip = skipWithout(inNamespace);

/** One joule per second of CPU time. */
const createConfig = (receivers: string, url: string) =>
  writeConfig(`
receivers: {process: {collection_interval: 200ms}, estimate: {collection_interval: 200ms, idle_power: 0, max_power: ${availableParallelism()}}, ${receivers}}
processors: {attribution: {views: [cgroup], group_limit: 0}}
exporters: {otlp_http: {endpoint: ${url}, compression: none}}
service:
  pipelines:
    metrics:
      receivers: [process, estimate${receivers === '' ? '' : ', cgroup'}]
      processors: [attribution]
      exporters: [otlp_http]
  telemetry: {metrics: {level: none}}
`);

const cases = [
  { where: 'with their cgroup, where cgroups are read', receivers: 'cgroup: {collection_interval: 200ms}' },
  { where: 'unattributed, where they are not', receivers: '' },
];

for (const { where, receivers } of cases) {
  test(`the energy of processes outside the agent's pid namespace stays ${where}`, { skip }, async (t) => {
    const made = makeCgroup(t, 2);
    if (typeof made === 'string') return t.skip(made);
    const backend = await openHttpBackend(t, { address: ownAddress });
    const points = (metric: string): readonly DecodedPoint[] =>
      backend.received.flatMap(({ bytes }) => decodePoints(bytes)).filter((point) => point.name === metric);
    const joulesOf = (part: string) =>
      total(
        lastValues(
          points('ledger.energy').filter(({ attributes }) => Object.values(attributes).includes(part)),
        ),
      );
    const charged = () =>
      total(
        lastValues(
          points('linux.cgroup.energy').filter((point) => point.resource['linux.cgroup.path'] === made.path),
        ),
      );
    const agent = startAgent(['run', '-c', createConfig(receivers, backend.url)], {}, inNamespace);
    t.after(() => agent.stop('SIGKILL'));
    await agent.waitFor(/Everything is ready/);
    await until(() => points('ledger.energy').length > 0);
    const before = joulesOf('unseen');
    const used = await runShellIn(t, made, 'i=0; while [ $i -lt 2000000 ]; do i=$((i+1)); done');
    assert.ok(used > 0.2);
    const hasCgroups = receivers !== '';
    await until(() => (hasCgroups ? charged() : joulesOf('unseen') - before) >= 0.9 * used);
    if (hasCgroups) assert.ok(charged() <= 1.02 * used, `${charged()} J of ${used} s`);
    else assert.equal(charged(), 0);
    await until(
      () => Math.abs(total(lastValues(points('linux.cgroup.energy'))) - joulesOf('attributed')) < 1e-6,
    );
    const warning = /warn .*Cannot see the processes outside this container: .*--pid=host/gu;
    const { stderr } = await agent.stop('SIGKILL');
    assert.equal(stderr.match(warning)?.length, 1, stderr);
  });
}
