// node test/vm/hotplug.mjs [--cpu-time ebpf|procfs] [--interval TIME]: takes CPUs offline and back while the agent
// measures two cgroups, and compares what it has counted with the kernel's own figures. For a virtual machine with
// four CPUs: node test/vm/run.mjs KERNEL -smp 4 -icount shift=2,sleep=off -- node test/vm/hotplug.mjs
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    'cpu-time': { type: 'string', default: 'ebpf' },
    interval: { type: 'string', default: '1s' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'joulemetry-hotplug-'));
const output = join(folder, 'points.json');
const cgroups = '/sys/fs/cgroup';
/** Longer than a reading of every receiver, and a flush. */
const settleMs = 2500;
/** The user time of a cgroup or process is rounded. */
const toleranceSeconds = 0.002;
let failures = 0;

const config = {
  receivers: {
    process: { collection_interval: options.interval, cpu_time: options['cpu-time'] },
    cgroup: { collection_interval: options.interval },
    perf: { events: ['cpu-clock'], sampling_interval: '100ms', machine: false, cgroups: ['/hotplug-*'] },
    'perf/cpus': { events: ['task-clock'], sampling_interval: '100ms', per_cpu: true },
  },
  exporters: { file: { path: output, flush_interval: '500ms' } },
  service: {
    telemetry: { metrics: { level: 'none' } },
    pipelines: {
      metrics: { receivers: ['process', 'cgroup', 'perf', 'perf/cpus'], exporters: ['file'] },
    },
  },
};
writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config));

for (const name of ['hotplug-busy', 'hotplug-brief']) mkdirSync(join(cgroups, name), { recursive: true });
const { agent, log } = await startAgent();
const busy = startIn('hotplug-busy', 'while :; do :; done');
const brief = startIn('hotplug-brief', 'while :; do /bin/true; sleep 0.02; done');
await sleep(3000);

const states = [await look('start')];
await follow('cpu1 offline', 3000, () => setOnline([1], false));
await follow('cpu1 online', 4000, () => setOnline([1], true));
await follow('cpu2 offline for less than a second', 4000, async () => {
  await setOnline([2], false);
  await sleep(150);
  await setOnline([2], true);
});
await follow('cpu1 to cpu3 offline', 3000, () => setOnline([3, 2, 1], false));
await follow('cpu1 to cpu3 online', 4000, () => setOnline([1, 2, 3], true));
await follow('nothing', 3000, () => {});
busy.kill('SIGKILL');
brief.kill('SIGKILL');
agent.kill('SIGTERM');
const [code] = await once(agent, 'exit');
check('the agent has ended without a warning', code === 0 && !/ (?:warn|error) /.test(log()), log());
compare(readPoints());
process.exitCode = failures === 0 ? 0 : 1;

async function startAgent() {
  const program = new URL('../../bin/joulemetry', import.meta.url).pathname;
  const child = spawn(program, ['run', '--config', join(folder, 'config.yaml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (part) => (text += part));
  while (!text.includes('is ready')) {
    await Promise.race([once(child.stderr, 'data'), once(child, 'exit')]);
    if (child.exitCode !== null) throw new Error(`the agent has ended:\n${text}`);
  }
  return { agent: child, log: () => text };
}

function startIn(cgroup, script) {
  const move = `echo $$ > ${join(cgroups, cgroup)}/cgroup.procs`;
  return spawn('sh', ['-c', `${move}; exec sh -c ${JSON.stringify(script)}`], { stdio: 'ignore' });
}

async function setOnline(cpus, isOnline) {
  for (const cpu of cpus) writeFileSync(`/sys/devices/system/cpu/cpu${cpu}/online`, isOnline ? '1' : '0');
}

async function follow(name, ms, change) {
  await change();
  await sleep(ms);
  states.push(await look(name));
}

/** What the kernel has counted, while both cgroups are frozen so that every reading agrees. */
async function look(name) {
  for (const each of ['hotplug-busy', 'hotplug-brief']) freeze(each, true);
  await sleep(settleMs);
  const state = {
    name,
    atMs: Date.now(),
    online: readFileSync('/sys/devices/system/cpu/online', 'utf8').trim(),
    busySeconds: readUsage('hotplug-busy'),
    briefSeconds: readUsage('hotplug-brief'),
    processSeconds: Number(readFileSync(`/proc/${busy.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9,
  };
  for (const each of ['hotplug-busy', 'hotplug-brief']) freeze(each, false);
  return state;
}

function freeze(cgroup, isFrozen) {
  writeFileSync(join(cgroups, cgroup, 'cgroup.freeze'), isFrozen ? '1' : '0');
}

function readUsage(cgroup) {
  const stat = readFileSync(join(cgroups, cgroup, 'cpu.stat'), 'utf8');
  return Number(/usage_usec (\d+)/.exec(stat)[1]) / 1e6;
}

/** The points of each series, in their order. */
function readPoints() {
  const lines = readFileSync(output, 'utf8').trim().split('\n');
  const series = new Map();
  for (const { resource, scopeMetrics } of lines.flatMap((line) => JSON.parse(line).resourceMetrics)) {
    const owner = flatten(resource?.attributes);
    for (const { name, sum, gauge } of scopeMetrics.flatMap(({ metrics }) => metrics))
      for (const point of (sum ?? gauge).dataPoints) addPoint(series, { name, owner, point });
  }
  return [...series.values()];
}

function addPoint(series, { name, owner, point }) {
  if (point.flags === 1) return;
  const attributes = flatten(point.attributes);
  const key = JSON.stringify([name, owner, attributes, point.startTimeUnixNano]);
  if (!series.has(key)) series.set(key, { name, owner, attributes, points: [] });
  const atMs = Number(BigInt(point.timeUnixNano) / 1000n) / 1e3;
  series.get(key).points.push([atMs, point.asDouble ?? Number(point.asInt)]);
}

function flatten(attributes = []) {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

function compare(series) {
  const decreased = series.filter(({ name, points }) => name.endsWith('time') && hasDecreased(points));
  check('no counter has decreased', decreased.length === 0, JSON.stringify(decreased).slice(0, 500));
  const sumAt = (atMs, name, isWanted) =>
    series
      .filter((one) => one.name === name && isWanted(one))
      .reduce((sum, { points }) => sum + (points.findLast(([ms]) => ms <= atMs)?.[1] ?? 0), 0);
  for (const [i, to] of states.entries()) {
    const from = states[i - 1];
    if (from === undefined) continue;
    console.log(`\n${to.name} (online: ${to.online})`);
    const compareGrowth = ({ what, name, isWanted, kernel, most = 0.005, least = most }) => {
      const own = sumAt(to.atMs, name, isWanted) - sumAt(from.atMs, name, isWanted);
      const isRight =
        own <= kernel * (1 + most) + toleranceSeconds && own >= kernel * (1 - least) - toleranceSeconds;
      check(`${what}: ${own.toFixed(4)} s, by the kernel ${kernel.toFixed(4)} s`, isRight);
    };
    describeGrowth(from, to).forEach(compareGrowth);
    if (i === states.length - 1) describeClocks(from, to).forEach(compareGrowth);
  }
  checkBusyTime(series);
}

function hasDecreased(points) {
  return points.some(([, value], i) => i > 0 && value < points[i - 1][1]);
}

function isOf(path) {
  return ({ owner }) => owner['linux.cgroup.path'] === path;
}

/** What must have grown between two looks, and by how much according to the kernel. */
function describeGrowth(from, to) {
  const [isBusy, isBrief] = [isOf('/hotplug-busy'), isOf('/hotplug-brief')];
  const busySeconds = to.busySeconds - from.busySeconds;
  const briefSeconds = to.briefSeconds - from.briefSeconds;
  const cgroup = 'linux.cgroup.cpu.time';
  const used = 'process.cpu.time';
  return [
    { what: 'cgroup of a busy process', name: cgroup, isWanted: isBusy, kernel: busySeconds },
    { what: 'cgroup of brief processes', name: cgroup, isWanted: isBrief, kernel: briefSeconds },
    {
      what: 'busy process',
      name: used,
      isWanted: ({ owner }) => Number(owner['process.pid']) === busy.pid,
      kernel: to.processSeconds - from.processSeconds,
    },
    {
      what: 'brief processes',
      name: used,
      isWanted: ({ owner }) => owner['process.linux.cgroup'] === '0::/hotplug-brief',
      kernel: briefSeconds,
      most: 0.02,
      // By procfs, most of them are not seen.
      least: options['cpu-time'] === 'ebpf' ? 0.02 : 1,
    },
    {
      what: 'perf event of the busy cgroup',
      name: 'perf.event.time',
      isWanted: isBusy,
      kernel: busySeconds,
      most: 0.02,
      // Not from the last reading before a CPU goes offline, until up to a second after it is back.
      least: 0.5,
    },
  ];
}

/** The events of each CPU count as long as it is online. */
function describeClocks(from, to) {
  return [0, 1, 2, 3].map((cpu) => ({
    what: `clock of cpu${cpu}`,
    name: 'perf.event.time',
    isWanted: ({ attributes }) => Number(attributes['cpu.logical_number']) === cpu,
    kernel: (to.atMs - from.atMs) / 1e3,
    most: 0.1,
  }));
}

/** In no window more than all CPUs that were online at one of its ends. */
function checkBusyTime(series) {
  const { points = [] } = series.find(({ name }) => name === 'system.cpu.busy.time') ?? {};
  const rates = points.slice(1).map(([ms, value], i) => ((value - points[i][1]) / (ms - points[i][0])) * 1e3);
  check(`busy CPUs, at most 4: ${rates.map((rate) => rate.toFixed(2)).join(' ')}`, Math.max(...rates) < 4.1);
}

function check(what, isRight, details = '') {
  if (!isRight) failures++;
  console.log(`${isRight ? 'ok  ' : 'FAIL'} ${what}${isRight || details === '' ? '' : `\n${details}`}`);
}
