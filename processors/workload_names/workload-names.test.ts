import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createTableCollector } from '../../src/component/fakes.js';
import type { Series } from '../../src/model/series.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import { until } from '../../src/testing/until.js';
import { resourcesOf, rowOf, seriesOf, TestNames } from './names.fixture.js';
import { WorkloadNames, type HoldOptions } from './workload-names.js';

/** Longer than any test runs. */
const neverMs = 600_000;

function createRig(t: TestContext, changes: Partial<HoldOptions> = {}) {
  const names = new TestNames();
  const next = createTableCollector();
  const outcomes: string[] = [];
  const options = { maxWaitMs: neverMs, maxHeldPoints: 1000, ...changes };
  const onDecision = (outcome: string) => void outcomes.push(outcome);
  const processor = new WorkloadNames(names, { ...options, onDecision }, next);
  t.after(() => processor.shutdown());
  return { names, next, processor, outcomes };
}

test('workload_names forwards the table itself if it has no ids', (t) => {
  const { processor, next, names } = createRig(t);
  const table = { ...rowOf(seriesOf({ 'process.pid': 1 })), ended: [seriesOf({})] };
  assert.equal(processor.consume(table), true);
  assert.equal(next.tables[0], table);
  assert.deepEqual(names.asked, []);
});

test('workload_names adds names to a resource when they are known', async (t) => {
  const { processor, next, names, outcomes } = createRig(t);
  const one = seriesOf({ 'container.id': 'a' });
  const other = { ...one, attributes: { mode: 'user' } };
  const table = rowOf(one, other);
  processor.consume(table);
  assert.equal(next.tables.length, 0);
  await names.answer('a', { 'container.name': 'web' });
  const [forwarded] = next.tables;
  assert.deepEqual(resourcesOf(forwarded)[0], { 'container.name': 'web', 'container.id': 'a' });
  assert.equal(forwarded.series[0].resource, forwarded.series[1].resource);
  assert.equal(forwarded.values, table.values);
  assert.deepEqual(outcomes, ['named']);
});

test('workload_names forwards the same series when they arrive in other tables', async (t) => {
  const { processor, next, names } = createRig(t);
  const [one, other] = [
    seriesOf({ 'container.id': 'a' }),
    seriesOf({ 'container.id': 'a', 'process.pid': 7 }),
  ];
  const first = rowOf(one);
  processor.consume(first);
  await names.answer('a', { 'container.name': 'web' });
  processor.consume(first);
  processor.consume(rowOf(other, one));
  assert.equal(next.tables[1].series, next.tables[0].series);
  assert.equal(next.tables[2].series[1], next.tables[0].series[0]);
  assert.equal(names.asked.length, 1);
});

test('workload_names keeps the order of all tables and of ended series while it waits', async (t) => {
  const { processor, next, names } = createRig(t);
  const [a, b, plain] = [seriesOf({ 'container.id': 'a' }), seriesOf({ 'k8s.pod.uid': 'b' }), seriesOf({})];
  processor.consume(rowOf(a));
  processor.consume(rowOf(plain));
  processor.consume(rowOf(b));
  processor.consume(createEnding([a, plain], 2n));
  await names.answer('b', { 'k8s.pod.name': 'pod' });
  assert.equal(next.tables.length, 0);
  await names.answer('a', { 'container.name': 'web' });
  assert.equal(next.tables.length, 4);
  assert.deepEqual(
    next.tables.slice(0, 3).map((table) => resourcesOf(table)[0]),
    [{ 'container.id': 'a', 'container.name': 'web' }, {}, { 'k8s.pod.uid': 'b', 'k8s.pod.name': 'pod' }],
  );
  assert.deepEqual(next.tables[3].ended, [next.tables[0].series[0], plain]);
});

test('workload_names forwards without names when the time limit is exceeded, and holds nothing longer', async (t) => {
  const { processor, next, names, outcomes } = createRig(t, { maxWaitMs: 30 });
  const series = seriesOf({ 'container.id': 'silent' });
  const startMs = performance.now();
  processor.consume(rowOf(series));
  await until(() => next.tables.length > 0);
  assert.ok(performance.now() - startMs >= 29);
  assert.equal(next.tables[0].series[0], series);
  assert.deepEqual(outcomes, ['unanswered']);
  await names.answer('silent', { 'container.name': 'late' });
  processor.consume(rowOf(series));
  assert.equal(next.tables[1].series[0], series);
});

test('workload_names keeps the result for an id while a live series has the id', async (t) => {
  const { processor, next, names } = createRig(t, { maxWaitMs: 1 });
  const [first, second, third] = [1, 2, 3].map((pid) =>
    seriesOf({ 'container.id': 'a', 'process.pid': pid }),
  );
  processor.consume(rowOf(first));
  await until(() => next.tables.length === 1);
  processor.consume(rowOf(first, second));
  processor.consume({ ...rowOf(second), ended: [first] });
  assert.deepEqual(resourcesOf(next.tables[2]), [second.resource.attributes]);
  assert.equal(names.asked.length, 1);
  processor.consume(createEnding([second], 2n));
  // No live series has it any more, and the last lookup had no answer.
  processor.consume(rowOf(third));
  assert.equal(names.asked.length, 2);
});

test('workload_names remembers names for two minutes without live series', async (t) => {
  let nowMs = 0;
  const { processor, next, names } = createRig(t, { nowMs: () => nowMs });
  const series = [1, 2, 3].map((pid) => seriesOf({ 'container.id': 'a', 'process.pid': pid }));
  const play = (index: number) => {
    const one = series.slice(index, index + 1);
    processor.consume({ ...rowOf(...one), ended: one });
  };
  play(0);
  await names.answer('a', { 'container.name': 'web' });
  nowMs = 119_000;
  play(1);
  assert.equal(next.tables.length, 2);
  nowMs = 240_000;
  play(2);
  assert.equal(names.asked.length, 2);
});

test('workload_names replaces no existing attributes of a resource', async (t) => {
  const { processor, next, names } = createRig(t);
  processor.consume(rowOf(seriesOf({ 'container.id': 'a', 'container.name': 'own' })));
  await names.answer('a', { 'container.name': 'other' });
  assert.deepEqual(resourcesOf(next.tables[0]), [{ 'container.id': 'a', 'container.name': 'own' }]);
});

test('workload_names looks up every id of a resource, and waits for all of them', async (t) => {
  const { processor, next, names } = createRig(t);
  processor.consume(rowOf(seriesOf({ 'container.id': 'a', 'k8s.pod.uid': 'b' })));
  await names.answer('a', { 'container.name': 'web' });
  assert.equal(next.tables.length, 0);
  await names.answer('b', { 'k8s.pod.name': 'pod' });
  assert.deepEqual(resourcesOf(next.tables[0]), [
    { 'container.id': 'a', 'k8s.pod.uid': 'b', 'container.name': 'web', 'k8s.pod.name': 'pod' },
  ]);
});

test('workload_names does not wait for an answer if it would hold too much', (t) => {
  const { processor, next } = createRig(t, { maxHeldPoints: 100 });
  for (let count = 0; count < 200; count += 1)
    processor.consume(rowOf(seriesOf({ 'container.id': `id-${count}` })));
  assert.ok(next.tables.length > 150);
  assert.deepEqual(
    next.tables.map((table) => resourcesOf(table)[0]?.['container.id']),
    next.tables.map((_, count) => `id-${count}`),
  );
});

test('workload_names forwards held tables when it is shut down', (t) => {
  const { processor, next, names } = createRig(t);
  const tables = [rowOf(seriesOf({ 'container.id': 'a' })), rowOf(seriesOf({}))];
  for (const table of tables) assert.equal(processor.consume(table), true);
  processor.shutdown();
  processor.shutdown();
  assert.deepEqual(next.tables, tables);
  assert.equal(names.isClosed, true);
});

test('workload_names yields while it forwards held tables, and forwards new tables after them', async (t) => {
  const { names } = createRig(t);
  let others = 0;
  const seen: [name: unknown, others: number][] = [];
  const holdThread = {
    consume(table: Table) {
      const endMs = performance.now() + 3;
      while (performance.now() < endMs);
      seen.push([resourcesOf(table)[0]?.['process.pid'], others]);
      return true;
    },
  };
  const options = { maxWaitMs: neverMs, maxHeldPoints: 1000, onDecision: () => undefined };
  const processor = new WorkloadNames(names, options, holdThread);
  t.after(() => processor.shutdown());
  processor.consume(rowOf(seriesOf({ 'container.id': 'a', 'process.pid': 0 })));
  for (let pid = 1; pid < 4; pid++) processor.consume(rowOf(seriesOf({ 'process.pid': pid })));
  const other = setInterval(() => {
    others++;
    if (others === 1) processor.consume(rowOf(seriesOf({ 'process.pid': 4 })));
  }, 1);
  await names.answer('a', {});
  await until(() => seen.length === 5);
  clearInterval(other);
  assert.deepEqual(
    seen.map(([pid]) => pid),
    [0, 1, 2, 3, 4],
  );
  for (let i = 2; i < 4; i++) assert.ok((seen[i]?.[1] ?? 0) > (seen[i - 1]?.[1] ?? 0));
});

test('workload_names forwards the remaining tables immediately when it is shut down', async (t) => {
  const { processor, next, names } = createRig(t);
  const consume = next.consume.bind(next);
  next.consume = (table) => {
    const endMs = performance.now() + 3;
    while (performance.now() < endMs);
    return consume(table);
  };
  const tables = [rowOf(seriesOf({ 'container.id': 'a' })), ...[1, 2].map((pid) => rowOf(seriesOf({ pid })))];
  for (const table of tables) processor.consume(table);
  await names.answer('a', {});
  assert.ok(next.tables.length < 3);
  processor.shutdown();
  assert.deepEqual(next.tables, tables);
});

/** A row of many series, each with a different id. */
const manyOf = (count: number, first = 0) =>
  rowOf(...Array.from({ length: count }, (_, i) => seriesOf({ 'container.id': `id-${first + i}` })));

test('workload_names looks many ids up in steps, requests them together, and keeps the order of tables', async (t) => {
  const { processor, next, names } = createRig(t, { maxHeldPoints: 100_000 });
  const [many, more] = [manyOf(1000), manyOf(1500)];
  const tables = [many, rowOf(seriesOf({})), more, createEnding(many.series, 2n)];
  for (const table of tables) processor.consume(table);
  await until(() => names.asked.length === 1500);
  assert.equal(next.tables.length, 0);
  for (let i = 0; i < 1500; i++) void names.answer(`id-${i}`, { 'container.name': `name-${i}` });
  await until(() => next.tables.length === 4);
  for (const [i, at] of [0, 2].entries()) {
    const found = resourcesOf(next.tables[at]).map((attributes) => attributes['container.name']);
    assert.deepEqual(
      found,
      Array.from({ length: i === 0 ? 1000 : 1500 }, (_, n) => `name-${n}`),
    );
  }
  assert.deepEqual(next.tables[3].ended, next.tables[0].series);
});

test('workload_names forwards many ids that are being looked up if it would hold too much or is shut down', async (t) => {
  const { processor, next, outcomes } = createRig(t, { maxHeldPoints: 10_000 });
  const tables = Array.from({ length: 9 }, (_, i) => manyOf(1000 + i, 1000 * i));
  for (const table of tables) processor.consume(table);
  assert.ok(next.tables.length >= 4 && next.tables.length < 9);
  processor.shutdown();
  await nextTurn();
  assert.deepEqual(next.tables, tables);
  assert.deepEqual(new Set(outcomes), new Set(['unanswered']));
});

test('workload_names rejects a table if the next consumer does', (t) => {
  const { names } = createRig(t);
  const options = { maxWaitMs: neverMs, maxHeldPoints: 1000, onDecision: () => undefined };
  const processor = new WorkloadNames(names, options, { consume: () => false });
  t.after(() => processor.shutdown());
  assert.equal(processor.consume(rowOf(seriesOf({}))), false);
});

test('workload_names removes ids when ten thousand containers have come and gone', async (t) => {
  let nowMs = 0;
  const { processor, names } = createRig(t, { nowMs: () => nowMs });
  let last: readonly Series[] = [];
  for (let count = 0; count < 20_000; count += 1) {
    nowMs = count;
    const series = [seriesOf({ 'container.id': `id-${count}` })];
    processor.consume({ ...createRow(series, 1n, Float64Array.of(1)), ended: last });
    await names.answer(`id-${count}`, { 'container.name': 'c' });
    last = series;
  }
  assert.ok(processor.size < 10_010, `expected at most 10,010 ids, found ${processor.size}`);
  nowMs += 200_000;
  processor.consume(createEnding(last, 2n));
  processor.consume(rowOf());
  assert.ok(processor.size <= 1);
});
