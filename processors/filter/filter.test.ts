import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { histogramOf, histogramTable, rowOf } from '../../src/model/histogram.fixture.js';
import type { Attributes, Series } from '../../src/model/series.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import { factory } from './factory.js';

function seriesOf(name: string, attributes: Attributes = {}, resource: Attributes = {}): Series {
  const metric = { name, unit: '1', description: '', kind: 'gauge', valueType: 'double' } as const;
  return { metric, resource: { attributes: resource }, attributes, start: 0n };
}

function createProcessor(settings: unknown) {
  const next = createTableCollector();
  const processor = factory.create(parseSettings(factory.schema, settings), createFakeContext(), next);
  return { processor, tables: next.tables, histograms: next.histograms };
}

/** Which of these series pass, by their place. */
function filterSeries(settings: unknown, series: readonly Series[]): readonly number[] {
  const { processor, tables } = createProcessor(settings);
  processor.consume(createRow(series, 1n, Float64Array.from(series.keys())));
  return [...(tables[0]?.values ?? [])];
}

test('filter lets a table pass as it is, when there are no rules', () => {
  const { processor, tables } = createProcessor({});
  const table = createRow([seriesOf('a')], 1n, Float64Array.of(1));
  processor.consume(table);
  assert.equal(tables[0], table);
});

test('filter lets a table pass as it is, when every series passes', () => {
  const { processor, tables } = createProcessor({ include: [{ metric_names: ['a'] }] });
  const series = [seriesOf('a')];
  const table = { ...createRow(series, 1n, Float64Array.of(1)), ended: series };
  processor.consume(table);
  assert.equal(tables[0], table);
});

test('filter keeps the metrics of an include rule, when they are named exactly', () => {
  const include = [{ metric_names: ['hw.power', 'hw.energy'] }];
  const series = ['hw.power', 'hw.power.limit', 'hwXpower', 'hw.energy'].map((name) => seriesOf(name));
  assert.deepEqual(filterSeries({ include }, series), [0, 3]);
});

test('filter compares whole names, when a rule is a regular expression', () => {
  const include = [{ match: 'regexp', metric_names: ['hw\\.(power|energy)'] }];
  const series = ['hw.power', 'hw.power.limit', 'x.hw.power', 'hw.energy'].map((name) => seriesOf(name));
  assert.deepEqual(filterSeries({ include }, series), [0, 3]);
});

test('filter drops what an exclude rule fits, when it is included, too', () => {
  const settings = {
    include: [{ match: 'regexp', metric_names: ['hw\\..*'] }],
    exclude: [{ attributes: { 'hw.type': 'gpu' } }],
  };
  const series = [
    seriesOf('hw.power', { 'hw.type': 'gpu' }),
    seriesOf('hw.power', { 'hw.type': 'cpu' }),
    seriesOf('process.energy', { 'hw.type': 'cpu' }),
  ];
  assert.deepEqual(filterSeries(settings, series), [1]);
});

test('filter wants everything that a rule names', () => {
  const rule = {
    match: 'regexp',
    metric_names: ['process\\..*'],
    attributes: { 'cpu.mode': 'user' },
    resource_attributes: { 'process.pid': '[0-9]', 'process.owner': '.*' },
  };
  const owned = { 'process.pid': 7, 'process.owner': 'root' };
  const series = [
    seriesOf('process.cpu.time', { 'cpu.mode': 'user' }, owned),
    seriesOf('process.cpu.time', { 'cpu.mode': 'system' }, owned),
    seriesOf('process.cpu.time', { 'cpu.mode': 'user' }, { 'process.pid': 7 }),
    seriesOf('process.cpu.time', { 'cpu.mode': 'user' }, { ...owned, 'process.pid': 70 }),
    seriesOf('system.cpu.time', { 'cpu.mode': 'user' }, owned),
  ];
  assert.deepEqual(filterSeries({ include: [rule] }, series), [0]);
});

test('filter cuts every row, when a table has several', () => {
  const { processor, tables } = createProcessor({ exclude: [{ metric_names: ['b'] }] });
  const table: Table = {
    series: ['a', 'b', 'c'].map((name) => seriesOf(name)),
    epoch: 7n,
    offsets: Float64Array.of(0, 10),
    values: Float64Array.of(1, 2, 3, 4, NaN, 6),
  };
  processor.consume(table);
  processor.consume({ ...table, epoch: 8n });
  assert.deepEqual([...tables[0].values], [1, 3, 4, 6]);
  assert.equal(tables[0].offsets, table.offsets);
  assert.equal(tables[1].epoch, 8n);
  assert.equal(tables[0].series, tables[1].series);
});

test('filter forwards nothing, when nothing is left of a table', () => {
  const { processor, tables } = createProcessor({ exclude: [{ metric_names: ['a'] }] });
  const series = [seriesOf('a')];
  assert.equal(processor.consume(createRow(series, 1n, Float64Array.of(1))), true);
  assert.equal(processor.consume(createEnding(series, 2n)), true);
  assert.equal(processor.consume({ ...createRow(series, 1n, Float64Array.of(1)), ended: series }), true);
  assert.deepEqual(tables, []);
});

test('filter forwards the endings of series that it keeps, when nothing else is left of their table', () => {
  const { processor, tables } = createProcessor({ exclude: [{ metric_names: ['a'] }] });
  const [a, b, c] = ['a', 'b', 'c'].map((name) => seriesOf(name));
  processor.consume({ ...createRow([a], 1n, Float64Array.of(1)), ended: [a, b] });
  processor.consume({ ...createRow([a, c], 2n, Float64Array.of(1, 2)), ended: [a] });
  assert.deepEqual([tables[0].series, tables[0].ended, tables[0].offsets.length], [[], [b], 0]);
  assert.deepEqual([tables[1].series, tables[1].ended], [[c], []]);
});

test('filter names what is wrong with rules, when the settings are checked', () => {
  const config = parseSettings(factory.schema, {
    include: [{}, { match: 'regexp', metric_names: ['a', '(b', 'a)|(b'] }, { metric_names: ['(b'] }],
    exclude: [{ match: 'regexp', attributes: { a: '[' } }],
  });
  assert.deepEqual(factory.check?.(config), [
    'include[0]: an empty rule, expected metric_names, attributes or resource_attributes',
    'include[1]: expected regular expressions, found "(b": Invalid regular expression: /(b/u: Unterminated group',
    'include[1]: expected regular expressions, found "a)|(b": Invalid regular expression: /a)|(b/u: Unmatched \')\'',
    'exclude[0]: expected regular expressions, found "[": Invalid regular expression: /[/u: Unterminated character class',
  ]);
});

test('filter keeps the histograms of series that pass, and their endings', () => {
  const { processor, histograms } = createProcessor({ exclude: [{ metric_names: ['b'] }] });
  const [a, b] = ['a', 'b'].map((name) => histogramOf({ attributes: {}, name }));
  const whole = histogramTable([[a, 1_000, rowOf([1, 0, 0])]]);
  assert.equal(processor.consumeHistograms?.(whole), true);
  assert.equal(histograms[0], whole);
  processor.consumeHistograms?.(
    histogramTable(
      [
        [b, 1_001, rowOf([9, 0, 0])],
        [a, 1_001, rowOf([1, 2, 0])],
      ],
      [b, a],
    ),
  );
  assert.deepEqual(histograms[1], histogramTable([[a, 1_001, rowOf([1, 2, 0])]], [a]));
  assert.equal(processor.consumeHistograms?.(histogramTable([[b, 1_002, rowOf([9, 0, 0])]])), true);
  assert.equal(histograms.length, 2);
});
