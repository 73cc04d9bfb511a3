import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Consumer } from '../../src/component/consumer.js';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { EndedTasks, nameUniquely } from '../../src/linux/bpf/ended-tasks.fixture.js';
import { makeCgroup } from '../../src/linux/cgroup/real-cgroups.fixture.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { skipFor } from '../../src/testing/needs.fixture.js';
import { createBrief } from './brief-process.fixture.js';
import { chooseCpuTimeSource } from './choose-cpu-time-source.js';
import { schema } from './config.js';
import { factory } from './factory.js';
import { FakeMachine, type Scanned } from './fake-machine.fixture.js';

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
    createBrief('make', { cgroupV1Id: 99 }),
    createBrief('make', { cgroupV1Id: 99, parentPid: 1000 }),
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
  machine.brief.push(createBrief('make', { cgroupV1Id: 99 }));
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

/** CPU seconds by series. */
function lastValues(tables: readonly Table[]): ReadonlyMap<Series, number> {
  const last = new Map<Series, number>();
  for (const { series, values } of tables) {
    series.forEach((each, column) => {
      if (each.metric.name === 'process.cpu.time' && values.length > 0) last.set(each, values[column] ?? 0);
    });
  }
  return last;
}

/** CPU seconds of selected series. */
function usedBy(tables: readonly Table[], isWanted: (series: Series) => boolean): number {
  return [...lastValues(tables)].reduce((sum, [series, value]) => (isWanted(series) ? sum + value : sum), 0);
}

/** A line for each brief process, for messages. */
function describeUsed(tables: readonly Table[], isWanted: (series: Series) => boolean): string {
  const isBrief = (series: Series): boolean =>
    series.resource.attributes['process.pid'] === undefined && isWanted(series);
  return [...lastValues(tables)]
    .filter(([series]) => isBrief(series))
    .map(
      ([{ resource, start }, seconds]) => `${seconds} s ${JSON.stringify(resource.attributes)} from ${start}`,
    )
    .join('\n');
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
  const isOwn = ({ resource: { attributes } }: Series): boolean =>
    attributes['process.executable.name'] === basename(program) ||
    attributes['process.parent_pid'] === shell.pid;
  const usedNs = 1e9 * usedBy(next.tables, isOwn);
  const others = describeUsed(next.tables, (series) => !isOwn(series));
  const message = `${usedNs} of ${cpuNs} ns that ${count} used; others:\n${others}`;
  assert.ok(count > children / 2 && usedNs >= cpuNs * 0.999, message);
  // Of processes whose end is not reported, scans may have seen a part.
  if (count === children) assert.ok(usedNs <= cpuNs * 1.001, message);
  const isBystander = ({ resource }: Series): boolean => resource.attributes['process.pid'] === bystander.pid;
  assert.ok(usedBy(next.tables, isBystander) < 0.05);
});

test(
  'ProcessReceiver publishes no counter twice, and none that falls, while cgroups of brief processes come and go',
  { skip },
  async (t) => {
    const made = makeCgroup(t, 2);
    if (typeof made === 'string') return t.skip(made);
    const last = new Map<string, number>();
    const faults: string[] = [];
    const next: Consumer = {
      consume({ series, values }) {
        const inRow = new Set<string>();
        for (const [column, { metric, resource, attributes, start }] of series.entries()) {
          const value = values[column] ?? NaN;
          if (metric.kind !== 'counter' || Number.isNaN(value)) continue;
          const key = JSON.stringify([metric.name, resource.attributes, attributes, String(start)]);
          if (inRow.has(key) || value < (last.get(key) ?? 0)) faults.push(`${key} ${value}`);
          inRow.add(key);
          last.set(key, value);
        }
        return true;
      },
    };
    const config = parseSettings(factory.schema, { collection_interval: '1h', cpu_time: 'ebpf' });
    const receiver = factory.create(config, createFakeContext(), next);
    t.after(() => receiver.shutdown());
    await receiver.start();
    await receiver.flush?.();
    // Each cgroup is removed before the scan that finds its processes.
    const one = 'mkdir $i; echo $$ > $i/cgroup.procs; $0; echo $$ > cgroup.procs; rmdir $i; i=$((i+1))';
    const args = ['-c', `i=0; while [ $i -lt 25 ]; do ${one}; done`, nameUniquely('/bin/true')];
    for (let scan = 0; scan < 4; scan++) {
      assert.equal(spawnSync('sh', args, { cwd: made.folder }).status, 0);
      await receiver.flush?.();
    }
    assert.ok([...last.keys()].some((key) => key.includes(made.path)));
    assert.deepEqual(faults, []);
  },
);
