import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createPackageSysfs } from '../../src/linux/two-packages.fixture.js';
import { FakeMachine } from './fake-machine.fixture.js';

const metrics = { memory: false, threads: false };

function open(machine: FakeMachine): void {
  machine.open({ sysfs: createPackageSysfs([0, 0, 4, 4]), metrics });
}

/** Sets on which CPUs each thread of a process may run. */
function allow({ procfs }: FakeMachine, pid: number, lists: readonly string[]): void {
  for (const [i, list] of lists.entries()) {
    const folder = join(procfs.path, String(pid), 'task', String(pid + i));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'status'), `Name:\ta\nCpus_allowed:\tf\nCpus_allowed_list:\t${list}\n`);
  }
}

test('ProcessScraper has the CPU time of a process on each package, in addition to its CPU time', (t) => {
  const machine = new FakeMachine(t);
  open(machine);
  machine.procfs.write(7, {});
  machine.cpuNs.set(7, 5e9);
  machine.packageNs.set(7, [3e9, 2e9]);
  assert.deepEqual(machine.scan().valuesOf(7), {
    'cpu.time user': 0,
    'cpu.time system': 0,
    'cpu.package.time 0': 0,
    'cpu.package.time 4': 0,
  });
  machine.cpuNs.set(7, 6e9);
  machine.packageNs.set(7, [3.25e9, 2.75e9]);
  assert.deepEqual(machine.scan().valuesOf(7), {
    'cpu.time user': 1,
    'cpu.time system': 0,
    'cpu.package.time 0': 0.25,
    'cpu.package.time 4': 0.75,
  });
});

test('ProcessScraper counts all CPU time of a process since its start on its packages', (t) => {
  const machine = new FakeMachine(t);
  open(machine);
  machine.scan();
  machine.procfs.write(7, { startTicks: Number(machine.now / 10_000_000n) + 50 });
  machine.cpuNs.set(7, 4e8);
  machine.packageNs.set(7, [1e8, 3e8]);
  const values = machine.scan().valuesOf(7);
  assert.deepEqual([values['cpu.package.time 0'], values['cpu.package.time 4']], [0.1, 0.3]);
});

test('ProcessScraper uses the affinity for the package of a process whose threads may run on one package only', (t) => {
  const machine = new FakeMachine(t);
  open(machine);
  const lists: Readonly<Record<number, readonly string[]>> = {
    7: ['2-3', '3'],
    8: ['0-1', '2'],
    9: ['0-3'],
    10: [],
  };
  for (const [pid, allowed] of Object.entries(lists)) {
    machine.procfs.write(Number(pid), {});
    allow(machine, Number(pid), allowed);
    machine.cpuNs.set(Number(pid), 1e9);
  }
  machine.scan();
  for (const pid of Object.keys(lists)) machine.cpuNs.set(Number(pid), 2e9);
  const scanned = machine.scan();
  const found = Object.keys(lists).map((pid) => {
    const values = scanned.valuesOf(Number(pid));
    return [values['cpu.time user'], values['cpu.package.time 0'], values['cpu.package.time 4']];
  });
  // The package of the others is unknown: attribution derives it from the remaining time.
  assert.deepEqual(found, [
    [1, 0, 1],
    [1, 0, 0],
    [1, 0, 0],
    [1, 0, 0],
  ]);
});

test('ProcessScraper publishes the busy time of each package in the row with that of the machine', (t) => {
  const machine = new FakeMachine(t);
  open(machine);
  const stat = (ticks: readonly number[]) => {
    const lines = ticks.map((idle, cpu) => `cpu${cpu} 0 0 0 ${idle} 0 0 0 0 0 0\n`);
    const sum = ticks.reduce((all, idle) => all + idle, 0);
    writeFileSync(join(machine.procfs.path, 'stat'), `cpu  0 0 0 ${sum} 0 0 0 0 0 0\n${lines.join('')}`);
  };
  stat([0, 0, 0, 0]);
  machine.scan();
  stat([100, 100, 30, 60]);
  const { tables } = machine.scan();
  const row = tables.find(({ series }) =>
    series.some(({ metric }) => metric.name === 'system.cpu.busy.time'),
  );
  const cells = row?.series.map(({ metric, attributes }, i) => [
    metric.name,
    attributes['cpu.package'],
    row.values[i],
  ]);
  assert.deepEqual(cells, [
    ['system.cpu.busy.time', undefined, 1.1],
    ['system.cpu.tick', undefined, 0.004],
    ['system.cpu.package.busy.time', 0, 0],
    ['system.cpu.package.busy.time', 4, 1.1],
  ]);
});

test('ProcessScraper divides by package only if a consumer needs it', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  const names = machine.scan().tables.flatMap(({ series }) => series.map(({ metric }) => metric.name));
  assert.ok(names.includes('process.cpu.time') && !names.some((name) => name.includes('.package.')));
});
