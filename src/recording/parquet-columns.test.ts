import assert from 'node:assert/strict';
import { test } from 'node:test';
import { histogramOf } from '../model/histogram.fixture.js';
import type { Series } from '../model/series.js';
import { histogramColumns } from './histogram-columns.js';
import { fieldsOf, parquetColumns, parquetSchema } from './parquet-columns.js';

const series: Series = {
  metric: { name: 'x', unit: 'J', description: 'What', kind: 'counter', valueType: 'int' },
  resource: { attributes: { 'host.name': 'a', pid: 7 } },
  attributes: { 'hw.id': 'cpu-0', busy: true },
  start: 5n,
};

test('fieldsOf has the content of each column of a series, and nothing of instant and value', () => {
  const fields = Object.fromEntries(
    parquetColumns.map((name, i) => [name, fieldsOf(series, undefined, [])[i]]),
  );
  assert.deepEqual(fields, {
    time: undefined,
    metric: 'x',
    unit: 'J',
    value: undefined,
    kind: 'counter',
    type: 'int',
    start_time: 5n,
    state: undefined,
    resource: '{"host.name":"a","pid":7}',
    attributes: '{"hw.id":"cpu-0","busy":true}',
    description: 'What',
  });
});

test('fieldsOf has no start of a series that started at 0, and the state of an ended one', () => {
  const fields = fieldsOf({ ...series, start: 0n }, 'ended', []);
  assert.deepEqual(
    [fields[parquetColumns.indexOf('start_time')], fields[parquetColumns.indexOf('state')]],
    [undefined, 'ended'],
  );
});

test('fieldsOf writes attributes of series and resource as texts in columns of their own', () => {
  const fields = fieldsOf(series, undefined, ['hw.id', 'pid', 'busy', 'missing']);
  assert.deepEqual(fields.slice(parquetColumns.length), ['cpu-0', '7', 'true', undefined]);
});

test('fieldsOf states doubles for histograms', () => {
  const fields = fieldsOf(histogramOf(), undefined, []);
  assert.deepEqual(
    [fields[parquetColumns.indexOf('kind')], fields[parquetColumns.indexOf('type')]],
    ['histogram', 'double'],
  );
});

test('parquetSchema has the columns in order, with those that may be empty as optional', () => {
  const [root, ...elements] = parquetSchema(['hw.id'], { hasHistograms: false });
  assert.equal(root?.num_children, parquetColumns.length + 1);
  assert.deepEqual(
    elements.map(({ name }) => name),
    [...parquetColumns, 'hw.id'],
  );
  assert.deepEqual(
    elements.filter(({ repetition_type: repetition }) => repetition === 'OPTIONAL').map(({ name }) => name),
    ['value', 'start_time', 'state', 'hw.id'],
  );
});

test('parquetSchema declares instants as nanoseconds in UTC, texts as UTF-8 and values as doubles', () => {
  const elements = parquetSchema([], { hasHistograms: false });
  const find = (name: string) => elements.find((element) => element.name === name);
  for (const name of ['time', 'start_time']) {
    assert.deepEqual(
      [find(name)?.type, find(name)?.logical_type],
      ['INT64', { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'NANOS' }],
    );
  }
  assert.deepEqual(
    [find('metric')?.converted_type, find('metric')?.logical_type],
    ['UTF8', { type: 'STRING' }],
  );
  assert.equal(find('value')?.type, 'DOUBLE');
});

test('parquetSchema adds a column for each figure of histograms, at the end', () => {
  const elements = parquetSchema(['hw.id'], { hasHistograms: true });
  assert.equal(elements[0]?.num_children, parquetColumns.length + 1 + histogramColumns.length);
  const figures = elements.slice(1 + parquetColumns.length + 1);
  assert.deepEqual(
    figures.filter(({ name }) => name !== 'list' && name !== 'element').map(({ name }) => name),
    [...histogramColumns],
  );
  const lists = figures.filter(({ logical_type: type }) => type?.type === 'LIST').map(({ name }) => name);
  assert.deepEqual(lists, ['bounds', 'bucket_counts', 'positive_counts', 'negative_counts']);
  const typeOf = (name: string) => figures.find((element) => element.name === name)?.type;
  assert.deepEqual(['count', 'sum', 'scale', 'positive_offset', 'zero_count'].map(typeOf), [
    'INT64',
    'DOUBLE',
    'INT32',
    'INT32',
    'INT64',
  ]);
});
