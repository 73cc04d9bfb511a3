import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../../src/model/check-tables.js';
import type { Table } from '../../src/model/table.js';
import { createIntake } from './intake.fixture.js';
import { listTables, type Point } from './request.fixture.js';

/** A consumer that refuses some tables, counted from 1 over all tables with rows. */
function createRefusing(refused: readonly number[]) {
  const tables: Table[] = [];
  let count = 0;
  const consume = (table: Table) => {
    if (table.offsets.length > 0) count += 1;
    if (table.offsets.length > 0 && refused.includes(count)) return false;
    tables.push(table);
    return true;
  };
  return { tables, consume };
}

const counter = (temporality: number, ...points: readonly Point[]) => ({
  name: 'c',
  kind: 'sum' as const,
  temporality,
  points,
});

/** Different series in each row, so that each row is a table. */
const gauges = ['a', 'b', 'c', 'd'].map((name, i) => ({
  name,
  points: [{ time: BigInt(10 * (i + 1)), double: i }],
}));

test('take answers busy if a table is refused, and takes the rest when the request is repeated', async (t) => {
  const next = createRefusing([3, 5]);
  const { send } = createIntake(t, {}, {}, next);
  assert.equal((await send(...gauges)).kind, 'busy');
  assert.deepEqual(listTables(next.tables), ['a 0 10 0', 'b 0 20 1']);
  // Tables taken the first time are not forwarded again: the next table is the third one, and then the fourth.
  assert.equal((await send(...gauges)).kind, 'busy');
  assert.equal((await send(...gauges)).kind, 'taken');
  assert.deepEqual(listTables(next.tables), ['a 0 10 0', 'b 0 20 1', 'c 0 30 2', 'd 0 40 3']);
});

test('take counts deltas of a refused request once', async (t) => {
  const next = createRefusing([2, 3]);
  const { send } = createIntake(t, {}, {}, next);
  await send(counter(1, { start: 5n, time: 10n, int: 1 }));
  const request = [counter(1, { start: 10n, time: 20n, int: 2 }, { start: 20n, time: 30n, int: 4 })];
  assert.equal((await send(...request)).kind, 'busy');
  assert.equal((await send(...request)).kind, 'busy');
  assert.equal((await send(...request)).kind, 'taken');
  assert.deepEqual(listTables(next.tables), ['c 5 10 1', 'c 5 20 3', 'c 5 30 7']);
});

test('take ends a series that was reset even if the table after it is refused', async (t) => {
  const next = createRefusing([2]);
  const { send } = createIntake(t, {}, {}, next);
  await send(counter(2, { start: 5n, time: 10n, int: 9 }));
  const request = counter(2, { start: 15n, time: 20n, int: 1 });
  assert.equal((await send(request)).kind, 'busy');
  assert.equal((await send(request)).kind, 'taken');
  checkTables(next.tables);
  assert.deepEqual(listTables(next.tables), ['c 5 10 9', 'end c', 'c 15 20 1']);
});

test('take refuses a whole request while a queue is nearly full, and all requests while the receiver shuts down', async (t) => {
  let backlog = 0.91;
  const { send, list, intake } = createIntake(t, {}, { readBacklog: () => backlog });
  const [gauge = { name: '', points: [] }] = gauges;
  const refused = await send(gauge);
  const message = 'Cannot accept the request now: expected queues that are at most 90 % full, found 91 %';
  assert.deepEqual(refused, { kind: 'busy', message });
  backlog = 0.9;
  assert.equal((await send(gauge)).kind, 'taken');
  await intake.shutdown();
  assert.equal((await send({ name: 'z', points: [{ time: 10n, double: 0 }] })).kind, 'busy');
  assert.deepEqual(list(), ['a 0 10 0']);
});

test('take yields to other work while a large request is read', async (t) => {
  const { send, collector } = createIntake(t, { maxSeries: 100_000 });
  const points = Array.from({ length: 30_000 }, (_, i) => ({ attributes: { i }, time: 10n, double: i }));
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 0);
  t.after(() => clearInterval(timer));
  assert.equal((await send({ name: 'g', points })).kind, 'taken');
  assert.ok(turns > 1, `${turns} turns`);
  assert.equal(collector.tables[0]?.series.length, 30_000);
});
