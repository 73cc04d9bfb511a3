import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../model/series.js';
import { fc } from '../testing/fixed-seed.fixture.js';
import {
  csvField,
  fixedColumns,
  inertText,
  metricColumn,
  parseCsvHeader,
  parseCsvLine,
  parseMetricColumn,
  rowKey,
  sharedFields,
} from './csv-columns.js';

test('parseCsvLine parses quotes, even wrong ones', () => {
  const lines: readonly (readonly [string, readonly string[]])[] = [
    ['a,"b,""c""",', ['a', 'b,"c"', '']],
    ['"",""', ['', '']],
    ['""""', ['"']],
    ['"a"b,c', ['a', 'c']],
    ['a"b"c,d', ['a"b"c', 'd']],
    ['"a,b', ['"a', 'b']],
  ];
  for (const [line, fields] of lines) assert.deepEqual(parseCsvLine(line), fields, line);
});

test('parseCsvLine parses fields of any length', () => {
  const [, long] = parseCsvLine(`a,"${'x'.repeat(20_000_000)}"`);
  assert.equal(long.length, 20_000_000);
});

const anyText = fc.oneof(
  fc.constantFrom('', ' ', '"', '""', ',', '=1+1', "'=1", "''x", '\t=1', '＝1', 'a (b)', ' (', '-5', '@x'),
  fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/gu, ' ')),
);

test('parseCsvLine reads back the output of csvField, for any text', () => {
  fc.assert(
    fc.property(fc.array(anyText, { minLength: 1, maxLength: 5 }), (texts) => {
      assert.deepEqual(parseCsvLine(texts.map(csvField).join(',')), texts);
    }),
  );
});

test('csvField quotes only if necessary', () => {
  const fields = ['a', 'a b', "it's", 'a,b', 'say "x"', 'two\nlines', 'a\rb', ''].map(csvField);
  assert.deepEqual(fields, ['a', 'a b', "it's", '"a,b"', '"say ""x"""', '"two\nlines"', '"a\rb"', '']);
});

test('inertText protects every text that a spreadsheet would evaluate, and parseCsvHeader restores it', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const inert = inertText(text);
      assert.doesNotMatch(inert, /^\s*[=+\-@＝＋－＠]/u);
      assert.ok(inert === text || inert === `'${text}`);
      assert.deepEqual(parseCsvHeader(csvField(inert)), [text]);
    }),
  );
});

test('inertText keeps texts that no spreadsheet evaluates', () => {
  for (const text of ['hw.energy (J)', "it's", "'quoted'", 'a=b', '1-2', ''])
    assert.equal(inertText(text), text);
});

test('parseMetricColumn reads back the output of metricColumn, for any name', () => {
  const anyUnit = fc.constantFrom('', 'J', 'By/s', '{process}', '1');
  fc.assert(
    fc.property(anyText, anyUnit, (name, unit) => {
      assert.deepEqual(parseMetricColumn(metricColumn({ name, unit })), { name, unit });
    }),
  );
});

test('parseMetricColumn rejects columns that belong to no metric', () => {
  for (const head of [...fixedColumns, 'hw.id', '', '(J)', 'a(J)', 'a (J', 'a (J) ']) {
    assert.equal(parseMetricColumn(head), undefined, head);
  }
});

const series: Series = {
  metric: { name: 'hw.energy', unit: 'J', description: 'Energy', kind: 'counter', valueType: 'double' },
  resource: { attributes: { 'host.name': 'a', 'process.pid': 7 } },
  attributes: { 'hw.id': 'package-0', 'process.pid': 8 },
  start: 1_800_000_000_000_000_001n,
};

test('sharedFields has the attributes with a column, first from the series, then from its resource', () => {
  assert.deepEqual(sharedFields(series, 'ended', ['hw.id', 'host.name', 'process.pid', 'none']), [
    '2027-01-15T08:00:00.000000001Z',
    'counter',
    'double',
    'ended',
    '{"host.name":"a","process.pid":7}',
    '{"hw.id":"package-0","process.pid":8}',
    'package-0',
    'a',
    '8',
    '',
  ]);
});

test('sharedFields keeps numbers, and writes a possible formula on one line', () => {
  const attributes = { a: -5, b: '-5', c: 'x\r\ny', d: true, e: '=1\n+1' };
  const fields = sharedFields({ ...series, attributes, start: 0n }, '', ['a', 'b', 'c', 'd', 'e']);
  assert.equal(fields[0], '', 'a start that is not known');
  assert.deepEqual(fields.slice(6), ['-5', "'-5", 'x y', 'true', "'=1 +1"]);
});

test('rowKey is the same for points that can share a row, and for no others', () => {
  const key = rowKey(series);
  const otherMetric = { ...series.metric, name: 'hw.power', unit: 'W', description: '' };
  assert.equal(rowKey({ ...series, metric: otherMetric }), key);
  for (const change of [
    { metric: { ...series.metric, kind: 'gauge' } },
    { metric: { ...series.metric, valueType: 'int' } },
    { start: 0n },
    { attributes: {} },
    { resource: { attributes: {} } },
    { resource: { attributes: series.attributes }, attributes: series.resource.attributes },
  ] as const) {
    assert.notEqual(rowKey({ ...series, ...change }), key);
  }
  const keys = [NaN, Infinity, -Infinity].map((a) => rowKey({ ...series, attributes: { a } }));
  assert.equal(new Set(keys).size, 3);
});
