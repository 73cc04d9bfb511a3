import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { BriefProcess } from '../../src/linux/bpf/accounted-process.js';
import { EndedTasks, nameUniquely } from '../../src/linux/bpf/ended-tasks.fixture.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { skipFor } from '../../src/testing/needs.fixture.js';
import { BriefProcesses } from './brief-processes.js';
import { schema } from './config.js';
import { chooseCpuTimeSource } from './cpu-time-source.js';
import { factory } from './factory.js';
import { FakeMachine, type Scanned } from './fake-machine.fixture.js';

function createBrief(name: string, changes: Partial<BriefProcess> = {}): BriefProcess {
  const bytes = Buffer.alloc(16);
  bytes.write(name, 0, 15);
  const words = new Uint32Array(new Uint8Array(bytes).buffer);
  const times = { cpuTimeNs: 1_000_000, packageNs: new Float64Array(0) };
  return { pid: 90, parentPid: 8, ...times, cgroupId: 7, userId: 0, ...changes, name: words };
}

/** The CPU time of series without a PID. */
function readBrief({ tables }: Scanned): readonly (readonly [Series, number])[] {
  return tables.flatMap(({ series, values }) =>
    series.flatMap((each, column) =>
      each.metric.name === 'process.cpu.time' && !('process.pid' in each.resource.attributes)
        ? [[each, values[column]] as const]
        : [],
    ),
  );
}

test('ProcessScraper adds up brief processes by program and cgroup', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {
    comm: 'a-program-whose',
    exe: '/bin/a-program-whose-name-is-long',
    cgroup: '/jobs',
  });
  machine.procfs.write(8, { comm: 'sh', cgroup: '/shells' });
  machine.states.clear();
  for (const pid of [7, 8]) machine.cpuNs.set(pid, 0);
  machine.brief.push(createBrief('before'));
  assert.deepEqual(readBrief(machine.scan()), []);
  const before = machine.now;
  machine.brief.push(
    createBrief('a-program-whose'),
    createBrief('a-program-whose', { cpuTimeNs: 2_500_001 }),
  );
  machine.brief.push(
    createBrief('make', { cgroupId: 99 }),
    createBrief('make', { cgroupId: 99, parentPid: 1000 }),
  );
  const first = readBrief(machine.scan());
  assert.deepEqual(
    first.map(([{ resource, start }, value]) => [resource.attributes, Number(start) % 1e12, value]),
    [
      [
        {
          'process.executable.name': 'a-program-whose-name-is-long',
          'process.owner': 'root',
          'process.linux.cgroup': '0::/jobs',
        },
        Number(before) % 1e12,
        0.003500001,
      ],
      [
        { 'process.executable.name': 'make', 'process.owner': 'root', 'process.linux.cgroup': '0::/shells' },
        Number(before) % 1e12,
        0.002,
      ],
    ],
  );
  machine.brief.push(createBrief('make', { cgroupId: 99 }));
  const second = readBrief(machine.scan());
  assert.deepEqual(
    second.map(([, value]) => value),
    [0.003500001, 0.003],
  );
  assert.deepEqual(
    second.map(([series]) => series),
    first.map(([series]) => series),
  );
});

test('ProcessScraper finds the cgroup of a brief process from another process that started at the same time', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, { comm: 'init' });
  machine.scan();
  machine.procfs.write(8, { comm: 'make', cgroup: '/builds' });
  machine.brief.push(createBrief('cc', { cpuTimeNs: 2_000_000 }), createBrief('cc'));
  const said = readBrief(machine.scan()).map(([{ resource }, value]) => [resource.attributes, value]);
  assert.deepEqual(said, [
    [
      {
        'process.executable.name': 'cc',
        'process.owner': 'root',
        'process.linux.cgroup': '0::/builds',
      },
      0.003,
    ],
  ]);
});

test('ProcessScraper gives a process its final CPU time in a last row, once its end is reported', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, { userTicks: 1 });
  machine.procfs.write(8, {});
  machine.scan();
  machine.cpuNs.set(7, 5_000_000);
  const series = [...machine.scan().seriesOf(7).values()];
  machine.procfs.remove(7);
  machine.states.set(7, 'ending');
  const ending = machine.scan();
  assert.deepEqual(ending.ended, []);
  assert.equal(ending.valuesOf(7)['cpu.time user'], 0.005);
  machine.states.set(7, 'dead');
  machine.cpuNs.set(7, 9_000_000);
  const last = machine.scan();
  assert.equal(last.valuesOf(7)['cpu.time user'], 0.009);
  assert.ok(Number.isNaN(last.valuesOf(7)['memory.usage']));
  assert.deepEqual(last.ended, series);
  assert.equal(machine.scan().seriesOf(7).size, 0);
});

test('ProcessScraper warns once while reports of ends are lost, and counts them', async (t) => {
  const machine = new FakeMachine(t);
  for (const lost of [0, 0, 5, 9, 9, 9]) {
    machine.lost = lost;
    machine.scan();
  }
  assert.deepEqual(
    machine.log.lines.map((line) => line.replace(/: expected at most \d+ ends.*/, '')),
    [
      'warn: Cannot account for every process that ended',
      'info: Recovered, accounting for every process that ends; 9 threads were missed since the start',
    ],
  );
  assert.equal((await machine.telemetry.read())['joulemetry.process.lost_ends{test}'], 9);
});

test('ProcessScraper warns once when moves between packages are lost, and counts them', async (t) => {
  const machine = new FakeMachine(t);
  for (const lost of [0, 0, 5, 9, 9]) {
    machine.lostMoves = lost;
    machine.scan();
  }
  assert.deepEqual(
    machine.log.lines.map((line) => line.replace(/: expected at most 65536 threads .*/, '')),
    ['warn: Cannot note on which CPU package every thread ran'],
  );
  assert.equal((await machine.telemetry.read())['joulemetry.process.lost_moves{test}'], 9);
});

test('BriefProcesses removes a program that has not run for 120 scans, and holds at most 1,000', () => {
  const brief = new BriefProcesses((name) => ({ attributes: { name } }), {
    forgottenAfter: 120,
    packages: [],
  });
  brief.begin(1n);
  for (let index = 0; index < 1002; index++) brief.add(createBrief(`program-${index}`));
  assert.equal(brief.read(5n)?.series.length, 1001);
  const values = brief.read(5n)?.values ?? [];
  assert.equal(values[1000], 0.002);
  for (let scan = 0; scan < 119; scan++) {
    brief.begin(2n);
    brief.add(createBrief('program-0'));
    assert.deepEqual(brief.takeForgotten(), []);
  }
  brief.begin(2n);
  assert.equal(brief.takeForgotten().length, 1000);
  assert.equal(brief.read(5n)?.series.length, 1);
});

/** CPU seconds of selected series. */
function usedBy(tables: readonly Table[], isWanted: (series: Series) => boolean): number {
  const last = new Map<Series, number>();
  for (const { series, values } of tables) {
    series.forEach((each, column) => {
      if (each.metric.name === 'process.cpu.time' && values.length > 0) last.set(each, values[column] ?? 0);
    });
  }
  return [...last].reduce((sum, [series, value]) => (isWanted(series) ? sum + value : sum), 0);
}

const { obstacle } = await chooseCpuTimeSource(parseSettings(schema, {}));
const skip = skipFor(obstacle);

const children = 500;

test('ProcessReceiver misses no process with BPF, however short, while it scans', { skip }, async (t) => {
  const program = nameUniquely('/bin/true');
  const ended = await EndedTasks.open(program);
  t.after(() => ended.close());
  const next = createTableCollector();
  const config = parseSettings(factory.schema, { collection_interval: '50ms', cpu_time: 'ebpf' });
  const receiver = factory.create(config, createFakeContext(), next);
  t.after(() => receiver.shutdown());
  const bystander = spawn('sleep', ['600'], { stdio: 'ignore' });
  t.after(() => bystander.kill('SIGKILL'));
  await receiver.start();
  await receiver.flush?.();
  const loop = `i=0; while [ $i -lt ${children} ]; do ${program}; i=$((i+1)); done`;
  const shell = spawn('sh', ['-c', loop], { stdio: 'ignore' });
  await once(shell, 'close');
  // The kernel reports an end only after a grace period, and some not at all.
  for (let tries = 0; tries < 100 && ended.count < children; tries++) await setTimeout(20);
  const { count, cpuNs } = ended;
  await receiver.flush?.();
  const usedNs =
    1e9 *
    usedBy(next.tables, ({ resource: { attributes } }) => {
      return (
        attributes['process.executable.name'] === basename(program) ||
        attributes['process.parent_pid'] === shell.pid
      );
    });
  const message = `${usedNs} of ${cpuNs} ns that ${count} used`;
  assert.ok(count > children / 2 && usedNs >= cpuNs * 0.999, message);
  // Of processes whose end is not reported, scans may have seen a part.
  if (count === children) assert.ok(usedNs <= cpuNs * 1.001, message);
  const isBystander = ({ resource }: Series): boolean => resource.attributes['process.pid'] === bystander.pid;
  assert.ok(usedBy(next.tables, isBystander) < 0.05);
});

test('BriefProcesses adds up the CPU time on each package', () => {
  const brief = new BriefProcesses((name) => ({ attributes: { name } }), {
    forgottenAfter: 120,
    packages: [0, 2],
  });
  brief.begin(1n);
  for (const used of [
    [1e9, 0],
    [5e8, 25e7],
  ]) {
    brief.add(createBrief('make', { cpuTimeNs: 1e9, packageNs: Float64Array.from(used) }));
  }
  brief.read(5n);
  brief.add(createBrief('make', { cpuTimeNs: 1e9, packageNs: Float64Array.of(0, 1e9) }));
  const { series = [], values = [] } = brief.read(6n) ?? {};
  assert.deepEqual(
    series.map(({ metric, attributes }) => [metric.name, attributes['cpu.package']]),
    [
      ['process.cpu.time', undefined],
      ['process.cpu.package.time', 0],
      ['process.cpu.package.time', 2],
    ],
  );
  assert.deepEqual([...values], [3, 1.5, 1.25]);
});

/** A program by name and user: cgroups without a path do not tell processes apart. */
const identify = (name: string, _: number, { userId }: BriefProcess) => ({
  attributes: { 'process.executable.name': name, 'process.owner': String(userId) },
});

function scanBrief(scans: readonly (readonly BriefProcess[])[], forgottenAfter = 100) {
  const brief = new BriefProcesses(identify, { forgottenAfter, packages: [] });
  return scans.map((processes, scan) => {
    brief.begin(BigInt(scan));
    for (const process of processes) brief.add(process);
    const { series = [], values = [] } = brief.read(BigInt(scan + 1)) ?? {};
    const rows = series.map(({ resource }, column) => [resource.attributes['process.owner'], values[column]]);
    return { rows, ended: brief.takeForgotten().length };
  });
}

test('BriefProcesses adds up what several cgroups and the same resource used in one series', () => {
  const scans = scanBrief([
    [createBrief('job', { cgroupId: 1 }), createBrief('job', { cgroupId: 2 })],
    [createBrief('job', { cgroupId: 3 }), createBrief('job', { cgroupId: 1 })],
  ]);
  assert.deepEqual(
    scans.map(({ rows }) => rows),
    [[['0', 0.002]], [['0', 0.004]]],
  );
});

test('BriefProcesses keeps the users of the same program apart', () => {
  const [{ rows }] = scanBrief([[createBrief('job', { userId: 1 }), createBrief('job', { userId: 2 })]]);
  assert.deepEqual(rows, [
    ['1', 0.001],
    ['2', 0.001],
  ]);
});

test('BriefProcesses starts a new series for each cgroup of a program that was forgotten', () => {
  const [first, second] = [1, 2].map((cgroupId) => createBrief('job', { cgroupId }));
  const scans = scanBrief([[first], [second], [second], [], [], [second]], 2);
  assert.deepEqual(
    scans.map(({ rows, ended }) => [rows[0]?.[1], ended]),
    [
      [0.001, 0],
      [0.002, 0],
      [0.003, 0],
      [0.003, 0],
      [0.003, 1],
      [0.001, 0],
    ],
  );
});
