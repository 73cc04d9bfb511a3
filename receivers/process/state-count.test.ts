import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { FakeMachine, type Scanned } from './fake-machine.fixture.js';

function openMachine(t: TestContext): FakeMachine {
  const machine = new FakeMachine(t);
  machine.open({ metrics: { count: true } });
  return machine;
}

/** Processes by state. */
function countsOf({ tables }: Scanned): Record<string, number> {
  const table = tables.find(({ series }) => series[0]?.metric.name === 'system.process.count');
  assert.ok(table);
  return Object.fromEntries(
    table.series.map(({ attributes }, i) => [String(attributes['process.state']), table.values[i] ?? NaN]),
  );
}

test('ProcessScraper counts processes by the states of the semantic conventions', (t) => {
  const machine = openMachine(t);
  for (const [i, state] of ['R', 'R', 'S', 'D', 'I', 'T', 't', 'Z'].entries())
    machine.procfs.write(i + 1, { state });
  assert.deepEqual(countsOf(machine.scan()), { running: 2, sleeping: 3, stopped: 2, defunct: 1 });
});

test('ProcessScraper counts a process as sleeping if it has not run since it was seen running', (t) => {
  const machine = openMachine(t);
  machine.procfs.write(7, { state: 'R' });
  assert.equal(countsOf(machine.scan())['running'], 1);
  assert.equal(countsOf(machine.scan())['sleeping'], 1);
  machine.cpuNs.set(7, 5_000_000);
  assert.equal(countsOf(machine.scan())['running'], 1);
  machine.procfs.write(7, { state: 'T' });
  machine.cpuNs.set(7, 6_000_000);
  assert.equal(countsOf(machine.scan())['stopped'], 1);
  machine.procfs.remove(7);
  machine.cpuNs.set(7, -1);
  assert.deepEqual(countsOf(machine.scan()), { running: 0, sleeping: 0, stopped: 0, defunct: 0 });
});

test('ProcessScraper counts a process by its state in eBPF, also if its files are not read', (t) => {
  const machine = openMachine(t);
  machine.procfs.write(7, { state: 'S' });
  machine.revisions.set(7, 0);
  machine.taskStates.set(7, 'S');
  assert.equal(countsOf(machine.scan())['sleeping'], 1);
  machine.taskStates.set(7, 'T');
  assert.equal(countsOf(machine.scan())['stopped'], 1);
  machine.taskStates.set(7, 'Z');
  machine.procfs.write(7, { state: 'Z' });
  assert.equal(countsOf(machine.scan())['defunct'], 1);
});

test('ProcessScraper ends the counts and starts new ones when the clock was stepped or the machine slept', (t) => {
  const machine = openMachine(t);
  machine.procfs.write(7, {});
  machine.scan(1);
  const { ended } = machine.scan(2);
  assert.equal(ended.filter(({ metric }) => metric.name === 'system.process.count').length, 4);
});

test('ProcessScraper omits the counts if they are off', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  const names = machine.scan().tables.flatMap(({ series }) => series.map(({ metric }) => metric.name));
  assert.equal(names.includes('system.process.count'), false);
});
