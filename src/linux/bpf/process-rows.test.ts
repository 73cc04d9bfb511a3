import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessRows, rowState } from './process-rows.js';
import { taskField, taskRecordWords } from './task-record.js';

function createRecord(
  tgid: number,
  changes: Partial<Record<keyof typeof taskField, number>> = {},
): Uint32Array {
  const words = new Uint32Array(taskRecordWords);
  words[taskField.tgid] = tgid;
  for (const [name, value] of Object.entries(changes))
    words[taskField[name as keyof typeof taskField]] = value; // Its keys.
  return words;
}

test('ProcessRows sums up the usage of the threads of a process, beyond whole seconds, too', () => {
  const rows = new ProcessRows();
  const row = rows.add(createRecord(7), 0);
  rows.meet(row, 1, 5, 900_000_000);
  rows.use(row, 1, 600_000_000);
  rows.use(row, 0, 700_000_000);
  rows.settle(row);
  assert.deepEqual([rows.seconds[row], rows.nanoseconds[row], rows.seenIn[row]], [8, 200_000_000, 1]);
  // A later reading can lack the usage of a thread that has just ended.
  rows.meet(row, 2, 8, 100_000_000);
  rows.settle(row);
  assert.deepEqual([rows.seconds[row], rows.nanoseconds[row]], [8, 200_000_000]);
});

test('ProcessRows reports whether a reading has changed a process', () => {
  const rows = new ProcessRows(1);
  const row = rows.add(createRecord(7), 0);
  const settle = (pass: number, seconds: number, packageNs: number): boolean => {
    rows.meet(row, pass, seconds, 0);
    rows.packageSums[row] = packageNs;
    return rows.settle(row);
  };
  assert.deepEqual([settle(1, 2, 0), settle(2, 2, 0), settle(3, 1, 0)], [true, false, false]);
  assert.deepEqual([settle(4, 2, 5), settle(5, 2, 5)], [true, false]);
  const changes = [{}, { state: 1 }, { state: 1, parent: 3 }, { exitState: 32 }, { name: 1 }, { name: 1 }];
  const noted = changes.map((change) => rows.note(row, createRecord(7, change), 0));
  assert.deepEqual(noted, [false, true, false, true, true, false]);
});

test('ProcessRows recognizes a pass whose number exceeds 32 bits', () => {
  const rows = new ProcessRows();
  const row = rows.add(createRecord(7), 0);
  const pass = 2 ** 32 + 5;
  rows.meet(row, pass, 1, 0);
  assert.equal(rows.seenIn[row], pass);
});

test('ProcessRows increments the revision when name, user or cgroup change, and not with the state', () => {
  const rows = new ProcessRows();
  const row = rows.add(createRecord(7), 0);
  rows.note(row, createRecord(7, { state: 1, parent: 3, flags: 4 }), 0);
  assert.equal(rows.revisions[row], 0);
  assert.equal(rows.wordOf(row, taskField.state), 1);
  for (const change of [
    { name: 1 },
    { name: 1, user: 1 },
    { name: 1, user: 1, cgroup: 1 },
    { controllerV1: 1 },
  ]) {
    const before: number | undefined = rows.revisions[row];
    rows.note(row, createRecord(7, change), 0);
    rows.note(row, createRecord(7, change), 0);
    assert.equal(rows.revisions[row], (before ?? NaN) + 1);
  }
});

test('ProcessRows distinguishes processes with the same pid by their start times', () => {
  const rows = new ProcessRows();
  const row = rows.add(createRecord(7, { start: 12 }), 0);
  assert.equal(rows.startOf(row), 12e9);
  assert.equal(rows.isOf(row, createRecord(7, { start: 12 }), 0), true);
  assert.equal(rows.isOf(row, createRecord(7, { start: 13 }), 0), false);
});

test('ProcessRows reuses a removed row, and keeps the others when it grows', () => {
  const rows = new ProcessRows();
  const [first = 0, second = 0] = [7, 8].map((tgid) => rows.add(createRecord(tgid, { user: tgid }), 0));
  rows.raise(first, 5, 5);
  rows.claimed[first] = 1;
  rows.remove(first);
  assert.deepEqual([rows.has(first, 7), rows.states[first]], [false, rowState.free]);
  assert.equal(rows.add(createRecord(9), 0), first);
  assert.deepEqual(
    [rows.seconds[first], rows.nanoseconds[first], rows.claimed[first], rows.has(first, 9)],
    [0, 0, 0, true],
  );
  for (let tgid = 100; tgid < 1100; tgid++) rows.add(createRecord(tgid), 0);
  assert.equal(rows.size, 1002);
  assert.deepEqual([rows.has(second, 8), rows.wordOf(second, taskField.user)], [true, 8]);
});
