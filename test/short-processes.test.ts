import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { openHttpBackend } from '../src/http/http-backend.fixture.js';
import { ownAddress } from '../src/http/own-address.fixture.js';
import { skip as cannotTrace } from '../src/linux/bpf/real-kernel.fixture.js';
import { makeCgroup, runShellIn } from '../src/linux/cgroup/real-cgroups.fixture.js';
import { decodePoints, type DecodedPoint } from '../src/otlp/decode-request.fixture.js';
import { skipWithout } from '../src/testing/needs.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent, writeConfig } from './agent.js';
import { lastValues, total } from './sums.js';

/** One joule per second of CPU time. */
const createConfig = (url: string) =>
  writeConfig(`
receivers:
  process: {collection_interval: 200ms, metrics: {count: false, memory: false, threads: false}}
  cgroup: {collection_interval: 200ms, metrics: {memory: false, io: false, pids: false}}
  estimate: {collection_interval: 200ms, idle_power: 0, max_power: ${availableParallelism()}}
processors: {attribution: {views: [process, cgroup], process_limit: 0, group_limit: 0}}
exporters: {otlp_http: {endpoint: ${url}, compression: none}}
service:
  pipelines: {metrics: {receivers: [process, cgroup, estimate], processors: [attribution], exporters: [otlp_http]}}
  telemetry: {metrics: {level: none}}
`);

const inMounts = (mount: string) => ['unshare', '--mount', 'sh', '-c', `${mount} && exec "$@"`, 'sh'];
const holding = (...added: readonly string[]) => [
  'setpriv',
  '--inh-caps=-all',
  `--bounding-set=${['-all', ...added].join(',')}`,
];

/** What the agent lacks, and what it warns of, once each. */
const cases: readonly { where: string; wrapper: readonly string[]; warnings?: readonly RegExp[] }[] = [
  { where: 'with all rights', wrapper: [] },
  {
    where: 'without types of the kernel',
    // The second one hides what another agent has noted of them.
    wrapper: inMounts('mount -t tmpfs none /sys/kernel/btf && mount -t tmpfs none /run'),
    warnings: [
      /Cannot see processes that start .*\/sys\/kernel\/btf\/vmlinux.*; a kernel with CONFIG_DEBUG_INFO_BTF=y$/u,
    ],
  },
  {
    where: 'without rights',
    wrapper: holding(),
    warnings: [
      /Cannot see processes that start .*EPERM, needs CAP_BPF and CAP_PERFMON; sudo setpriv .* -- joulemetry$/u,
    ],
  },
  {
    where: 'with eBPF, where procfs hides all processes',
    wrapper: [...inMounts('mount -t proc -o hidepid=2 proc /proc'), ...holding('+bpf', '+perfmon')],
    warnings: [
      /Cannot see the processes of other users, which \/proc hides \(hidepid\).*; CAP_SYS_PTRACE, .*: sudo setpriv .* -- joulemetry$/u,
    ],
  },
];

for (const { where, wrapper, warnings = [] } of cases) {
  const name = `the energy of 2,000 short processes is charged to their cgroup, and none of it to a bystander, ${where}`;
  test(name, { skip: wrapper.length > 0 && (cannotTrace || skipWithout(wrapper)) }, async (t) => {
    const made = makeCgroup(t, 2);
    if (typeof made === 'string') return t.skip(made);
    const backend = await openHttpBackend(t, { address: ownAddress });
    const wanted = new Set(['ledger.energy', 'linux.cgroup.energy', 'process.energy']);
    const decoded: DecodedPoint[] = [];
    // Each request is decoded once: an agent on a busy machine sends many points.
    const points = (metric: string): readonly DecodedPoint[] => {
      for (const { bytes } of backend.received.splice(0))
        decoded.push(...decodePoints(bytes).filter(({ name: one }) => wanted.has(one)));
      return decoded.filter((point) => point.name === metric);
    };
    const chargedTo = (metric: string, attribute: string, value: unknown) =>
      total(lastValues(points(metric).filter(({ resource }) => resource[attribute] === value)));
    const bystander = spawn('sleep', ['600'], { stdio: 'ignore' });
    t.after(() => bystander.kill('SIGKILL'));
    const agent = startAgent(['run', '-c', createConfig(backend.url)], {}, wrapper);
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
    const { stderr } = await agent.stop('SIGKILL');
    const found = stderr.split('\n').filter((line) => / warn (?:process|cgroup): /u.test(line));
    if (wrapper.length === 0) return;
    assert.equal(found.length, warnings.length, stderr);
    for (const [index, pattern] of warnings.entries()) assert.match(found[index] ?? '', pattern);
  });
}
