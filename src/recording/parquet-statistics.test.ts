import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parquetMetadataAsync, type ColumnMetaData } from 'hyparquet';
import { histogramOf, histogramTable, rowOf } from '../model/histogram.fixture.js';
import type { Series } from '../model/series.js';
import { createEnding, type Table } from '../model/table.js';
import { parquetColumns } from './parquet-columns.js';
import { ParquetEncoder } from './parquet-encoder.js';
import type { RecordedTable } from './recorded-table.js';

const epoch = 1_800_000_000_000_000_000n;

function seriesOf(name: string, attributes: Series['attributes'] = {}): Series {
  const metric = { name, unit: 'J', description: '', kind: 'gauge', valueType: 'double' } as const;
  return { metric, resource: { attributes: {} }, attributes, start: 0n };
}

function tableOf(series: readonly Series[], offsets: readonly number[], values: readonly number[]): Table {
  return { series, epoch, offsets: Float64Array.from(offsets), values: Float64Array.from(values) };
}

/** The row groups of a file with a row group for each list of tables. */
async function groupsOf(...groups: readonly (readonly RecordedTable[])[]) {
  const encoder = new ParquetEncoder(['hw.id']);
  const bytes = Buffer.concat([...groups.map((tables) => encoder.encode(tables)), encoder.footer()]);
  const { row_groups: found } = await parquetMetadataAsync(new Uint8Array(bytes).buffer);
  return found.map(({ columns, num_rows: rows }) => ({
    rows,
    column(name: string): ColumnMetaData {
      const column = columns.find(({ meta_data: meta }) => meta?.path_in_schema[0] === name)?.meta_data;
      assert.ok(column, name);
      return column;
    },
  }));
}

/** The library reads instants in statistics as dates. */
const nsOf = (value: unknown) => (value instanceof Date ? BigInt(value.getTime()) * 1_000_000n : value);

/** Gaps, minimum and maximum of the values. */
function rangeOf(group: { column(name: string): ColumnMetaData } | undefined) {
  const { null_count: gaps, min_value: min, max_value: max } = group?.column('value').statistics ?? {};
  return [gaps, min, max];
}

const [a, b] = [seriesOf('b.metric'), seriesOf('a.metric', { 'hw.id': 'x' })];

test('each row group has the range of its values, without gaps', async () => {
  const [first, second] = await groupsOf([tableOf([a], [0, 1, 2], [5, NaN, -3])], [tableOf([a], [3], [7])]);
  assert.deepEqual(rangeOf(first), [1n, -3, 5]);
  assert.deepEqual(rangeOf(second), [0n, 7, 7]);
});

test('a row group without values has no range', async () => {
  const [group] = await groupsOf([tableOf([a], [0, 1], [NaN, NaN])]);
  assert.deepEqual(rangeOf(group), [2n, undefined, undefined]);
});

test('the range of values has a minimum of -0 and a maximum of 0, whatever the sign of the zero', async () => {
  for (const value of [0, -0]) {
    const [group] = await groupsOf([tableOf([a], [0], [value])]);
    const { min_value: min, max_value: max } = group?.column('value').statistics ?? {};
    assert.ok(Object.is(min, -0) && Object.is(max, 0), `${String(min)} ${String(max)}`);
  }
});

test('the range of instants includes every table and the ends of series', async () => {
  const later = { ...tableOf([a], [5e6, 9e6], [1, 2]), ended: [b] };
  const [group] = await groupsOf([
    tableOf([a, b], [20e6, 30e6], [1, 2, 3, 4]),
    later,
    createEnding([a], epoch + 40_000_000n),
  ]);
  const { min_value: min, max_value: max } = group?.column('time').statistics ?? {};
  assert.deepEqual([nsOf(min), nsOf(max)], [epoch + 5_000_000n, epoch + 40_000_000n]);
  assert.equal(group?.rows, 8n);
});

test('the range of names is in byte order, and other texts have none', async () => {
  const [group] = await groupsOf([tableOf([a, b, seriesOf('é')], [0], [1, 2, 3])]);
  const { min_value: min, max_value: max } = group?.column('metric').statistics ?? {};
  assert.deepEqual([min, max], ['a.metric', 'é']);
  assert.equal(group?.column('unit').statistics, undefined);
});

test('a column counts its values, those of lists one by one', async () => {
  const histograms = histogramTable([
    [histogramOf(), 1_000, rowOf([1, 2, 3])],
    [histogramOf(), 1_001, rowOf([1, 2, 3])],
  ]);
  const [group] = await groupsOf([tableOf([a, b], [0], [1, 2]), histograms]);
  assert.equal(group?.rows, 4n);
  assert.equal(group?.column('time').num_values, 4n);
  assert.equal(group?.column('count').num_values, 4n);
  assert.equal(group?.column('bucket_counts').num_values, 2n + 6n);
  assert.equal(group?.column('bounds').num_values, 2n + 4n);
});

test('columns for histograms are added to earlier row groups, without values', async () => {
  const histograms = histogramTable([[histogramOf(), 1_000, rowOf([1, 2, 3])]]);
  const [first, second] = await groupsOf([tableOf([a, b], [0], [1, 2])], [histograms]);
  assert.deepEqual([first?.column('count').num_values, second?.column('count').num_values], [2n, 1n]);
  assert.equal(first?.column('bounds').num_values, 2n);
});

test('texts are in a dictionary, and a column without any value has none', async () => {
  const [group] = await groupsOf([tableOf([a], [0, 1], [1, 2])]);
  assert.deepEqual(group?.column('metric').encodings, ['PLAIN', 'RLE_DICTIONARY']);
  assert.ok(group.column('metric').dictionary_page_offset !== undefined);
  assert.deepEqual(
    [group.column('hw.id').encodings, group.column('hw.id').dictionary_page_offset],
    [['PLAIN'], undefined],
  );
  assert.deepEqual(group.column('time').encodings, ['DELTA_BINARY_PACKED']);
});

test('the chunks of a row group follow each other without gaps, after the magic bytes', async () => {
  const groups = await groupsOf([tableOf([a, b], [0, 1], [1, 2, 3, 4])], [tableOf([b], [2], [5])]);
  let at = 4n;
  for (const group of groups) {
    for (const name of [...parquetColumns, 'hw.id']) {
      const column = group.column(name);
      assert.equal(column.dictionary_page_offset ?? column.data_page_offset, at, name);
      at += column.total_compressed_size;
    }
  }
});

test('tables without rows make no row group', async () => {
  const encoder = new ParquetEncoder([]);
  assert.equal(encoder.encode([tableOf([a], [], []), tableOf([], [0], [])]).length, 4, 'the magic bytes');
  assert.equal(encoder.rowGroups, 0);
  encoder.encode([tableOf([a], [0], [1])]);
  encoder.encode([]);
  assert.equal(encoder.rowGroups, 1);
});
