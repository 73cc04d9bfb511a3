import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { FakeMachine, labelOf, type Scanned } from './fake-machine.fixture.js';

const pids = [3, 4, 5];

/** A machine whose source reports changes, after two scans. */
function openMachine(t: TestContext, settings = {}): FakeMachine {
  const machine = new FakeMachine(t);
  for (const pid of pids) {
    machine.procfs.write(pid, { comm: 'program' });
    machine.cpuNs.set(pid, 1e9);
    machine.revisions.set(pid, 1);
    machine.taskStates.set(pid, 'S');
  }
  machine.born = [...pids];
  machine.changed = [...pids];
  machine.readAfterNs = 0n;
  machine.open(settings);
  machine.scan();
  machine.born = [];
  machine.scan();
  machine.reads.clear();
  return machine;
}

const secondsOf = (scanned: Scanned, pid: number): number => {
  const values = scanned.valuesOf(pid);
  return (values['cpu.time user'] ?? NaN) + (values['cpu.time system'] ?? NaN);
};

test('ProcessScraper reads only processes that have changed, and has a row of all', (t) => {
  const machine = openMachine(t);
  machine.cpuNs.set(4, 3e9);
  machine.changed = [4, 4, 99];
  const scanned = machine.scan();
  assert.deepEqual([...machine.reads], [[4, 1]]);
  assert.deepEqual(
    pids.map((pid) => secondsOf(scanned, pid)),
    [0, 2, 0],
  );
});

test('ProcessScraper repeats the values of the previous row, with a new timestamp, if nothing changed', (t) => {
  const machine = openMachine(t);
  const [before, after] = [machine.scan(), machine.scan()].map(({ tables }) =>
    tables.find(({ series }) => series.some((each) => labelOf(each) === 'cpu.time user')),
  );
  assert.ok(before && after);
  assert.equal(after.series, before.series);
  assert.equal(after.values, before.values);
  assert.equal(after.epoch - before.epoch, 1_000_000_000n);
  assert.deepEqual([...machine.reads], []);
});

test('ProcessScraper does not change a table when a later scan finds other values', (t) => {
  const machine = openMachine(t);
  const before = machine.scan();
  machine.cpuNs.set(3, 2e9);
  machine.changed = [3];
  const after = machine.scan();
  assert.deepEqual([secondsOf(before, 3), secondsOf(after, 3)], [0, 1]);
});

test('ProcessScraper checks every process when it is due, and when it lists them', (t) => {
  const machine = openMachine(t);
  for (let scan = 0; scan < 30; scan++) machine.scan();
  assert.deepEqual(new Set(machine.reads.keys()), new Set(pids));
  for (const count of machine.reads.values()) assert.ok(count <= 2, `expected 2 at most, found ${count}`);
});

test('ProcessScraper reads a process that the source does not know at every scan', (t) => {
  const machine = openMachine(t);
  machine.revisions.delete(5);
  machine.changed = [5];
  machine.scan();
  machine.cpuNs.set(5, 4e9);
  assert.equal(secondsOf(machine.scan(), 5), 3);
});

test('ProcessScraper ends an ended process with its last values, and counts states', (t) => {
  const machine = openMachine(t, { metrics: { count: true } });
  machine.states.set(3, 'ending');
  machine.changed = [3];
  machine.scan();
  machine.states.set(3, 'dead');
  machine.cpuNs.set(3, 6e9);
  machine.changed = [3];
  const last = machine.scan();
  assert.equal(secondsOf(last, 3), 5);
  machine.procfs.remove(3);
  machine.cpuNs.set(3, -1);
  machine.taskStates.set(4, 'R');
  machine.changed = [3, 4];
  const next = machine.scan();
  assert.ok([...last.ended, ...next.ended].some(({ resource }) => resource.attributes['process.pid'] === 3));
  assert.deepEqual(next.valuesOf(3), {});
  const counts = next.tables.find(({ series }) => series[0]?.metric.name === 'system.process.count');
  assert.deepEqual([...(counts?.values ?? [])].slice(0, 2), [1, 1]);
});
