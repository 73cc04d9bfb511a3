import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../model/check-tables.js';
import type { MetricKind, Series } from '../model/series.js';
import { createEnding, createRow, type Table } from '../model/table.js';
import type { Consumer } from './consumer.js';
import { ChosenRows, RowChoosingProcessor, type RowChooser } from './row-choosing.js';

const epoch = 1_800_000_000_000_000_000n;

function seriesOf(name: string, kind: MetricKind = 'counter', start = epoch): Series {
  const metric = { name, unit: 'J', description: '', kind, valueType: 'double' } as const;
  return { metric, resource: { attributes: {} }, attributes: {}, start };
}

function rowAt(atS: number, series: readonly Series[], values: readonly number[]): Table {
  return createRow(series, epoch + BigInt(atS * 1e9), Float64Array.from(values));
}

/** Chooses every second row that it gets, and the last one. */
function createChooser(): RowChooser {
  const rows = new ChosenRows();
  let [count, last] = [0, undefined as Table | undefined];
  return {
    take(table) {
      count += 1;
      last = count % 2 === 1 ? table : undefined;
      return count % 2 === 0 ? table : undefined;
    },
    finish(series) {
      if (last !== undefined) rows.add(Number(last.epoch - epoch), last.values);
      return rows.take(series, epoch);
    },
  };
}

/** Refuses tables whose first series has one of these names. */
function create() {
  const tables: Table[] = [];
  const refused = new Set<string>();
  const next: Consumer = {
    consume(table) {
      if (refused.has(table.series[0]?.metric.name ?? 'ending')) return false;
      tables.push(table);
      return true;
    },
  };
  const choosing = { concerns: ({ metric }: Series) => metric.kind === 'counter', createChooser };
  return { tables, refused, processor: new RowChoosingProcessor(choosing, next) };
}

/** Names and values of each table. */
function describe(tables: readonly Table[]): readonly unknown[] {
  return tables.map(({ series, values, ended }) => [
    ...series.map(({ metric }) => metric.name),
    ...values,
    ...(ended ?? []).map(({ metric }) => `end of ${metric.name}`),
  ]);
}

test('RowChoosingProcessor forwards other series at once, and chosen rows when they are chosen', () => {
  const { tables, processor } = create();
  const series = [seriesOf('energy'), seriesOf('power', 'gauge')];
  for (const atS of [1, 2, 3]) assert.ok(processor.consume(rowAt(atS, series, [atS, 10 * atS])));
  assert.deepEqual(describe(tables), [
    ['power', 10],
    ['power', 20],
    ['energy', 2],
    ['power', 30],
  ]);
  processor.shutdown();
  assert.deepEqual(describe(tables).at(-1), ['energy', 3]);
  checkTables(tables);
});

test('RowChoosingProcessor forwards what waits of series that end or get company, in the order of their time', () => {
  const { tables, processor } = create();
  const [first, second] = [seriesOf('a'), seriesOf('b')];
  const both = [first, second];
  processor.consume(rowAt(1, [first], [1]));
  processor.consume(rowAt(2, both, [2, 2]));
  processor.consume({ ...rowAt(3, both, [3, 3]), ended: [second] });
  processor.consume(createEnding([first], epoch + 4_000_000_000n));
  processor.shutdown();
  assert.deepEqual(describe(tables), [['a', 1], ['a', 'b', 3, 3], ['end of b'], ['end of a']]);
  checkTables(tables);
});

test('RowChoosingProcessor ends a counter that was reset before the new one begins, also when the clock was set back', () => {
  const { tables, processor } = create();
  const [before, after] = [seriesOf('a'), seriesOf('a', 'counter', epoch - 5_000_000_000n)];
  processor.consume(rowAt(10, [before], [100]));
  const series = [after];
  processor.consume({ ...rowAt(-4, series, [1]), ended: [before] });
  processor.consume(rowAt(-3, series, [2]));
  assert.deepEqual(describe(tables), [['a', 100], ['end of a'], ['a', 2]]);
});

test('RowChoosingProcessor refuses with the other series, which must not come twice', () => {
  const { tables, refused, processor } = create();
  const series = [seriesOf('energy'), seriesOf('power', 'gauge')];
  processor.consume(rowAt(1, series, [1, 10]));
  refused.add('energy');
  assert.equal(processor.consume(rowAt(2, series, [2, 20])), true);
  refused.delete('energy');
  refused.add('power');
  assert.equal(processor.consume(rowAt(3, series, [3, 30])), false);
  assert.deepEqual(describe(tables), [
    ['power', 10],
    ['power', 20],
  ]);
});

test('RowChoosingProcessor refuses with chosen rows where there are no other series, and with what has ended', () => {
  const { refused, processor } = create();
  const series = [seriesOf('energy')];
  refused.add('energy').add('ending');
  assert.equal(processor.consume(rowAt(1, series, [1])), true);
  assert.equal(processor.consume(rowAt(2, series, [2])), false);
  assert.equal(processor.consume(createEnding(series, epoch)), false);
});
