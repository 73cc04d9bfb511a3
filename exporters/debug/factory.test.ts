import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  exponentialOf,
  histogramOf,
  histogramTable,
  powersOfTwo,
  rowOf,
} from '../../src/model/histogram.fixture.js';
import type { Attributes, Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { createDebug } from './factory.js';
import {
  renderBasic,
  renderBasicHistograms,
  renderDetailed,
  renderHistograms,
  renderNormal,
} from './render.js';

const metric = {
  name: 'process.energy',
  unit: 'J',
  description: 'Energy of a process',
  kind: 'counter',
  valueType: 'double',
} as const;

function seriesOf(resource: Attributes, attributes: Attributes): Series {
  return { metric, resource: { attributes: resource }, attributes, start: 1_795_293_800_000_000_001n };
}

const machine = seriesOf({ 'host.name': 'here' }, { 'hw.type': 'cpu' });
const process = seriesOf({ 'host.name': 'here', 'process.pid': 7, 'process.executable.name': 'a"b' }, {});
const table: Table = {
  series: [machine, process],
  epoch: 1_795_293_831_000_000_000n,
  offsets: Float64Array.of(0, 1_000_000),
  values: Float64Array.of(1.5, NaN, 2, 3),
  ended: [process],
};

test('renderBasic counts the contents of a table', () => {
  assert.equal(
    renderBasic(table),
    'table at 2026-11-21T20:43:51.000000000Z: 2 series, 2 rows, 4 points, 1 gap, 1 ended\n',
  );
});

test('renderNormal writes a line for each value and each ending', () => {
  assert.equal(
    renderNormal(table),
    `2026-11-21T20:43:51.000000000Z process.energy{hw.type="cpu"} 1.5 J
2026-11-21T20:43:51.000000000Z process.energy{} of {process.pid=7, process.executable.name="a\\"b"} (gap) J
2026-11-21T20:43:51.001000000Z process.energy{hw.type="cpu"} 2 J
2026-11-21T20:43:51.001000000Z process.energy{} of {process.pid=7, process.executable.name="a\\"b"} 3 J
ended process.energy{} of {process.pid=7, process.executable.name="a\\"b"}
`,
  );
});

test('renderDetailed writes resources, descriptions and start times', () => {
  assert.equal(
    renderDetailed({ ...table, series: [machine], values: Float64Array.of(1, 2), ended: [] }),
    `table at 2026-11-21T20:43:51.000000000Z: 1 series, 2 rows, 2 points, 0 gaps, 0 ended
  process.energy (counter, double, J): Energy of a process
    attributes {hw.type="cpu"}
    resource {host.name="here"}
    since 2026-11-21T20:43:20.000000001Z
    2026-11-21T20:43:51.000000000Z 1
    2026-11-21T20:43:51.001000000Z 2
`,
  );
});

test('debug counts the tables that it left out, when the reader of its output is slow', () => {
  const answers = [true, false, false, true, true];
  const texts: string[] = [];
  const write = (text: string) => {
    texts.push(text);
    return answers[texts.length - 1];
  };
  const debug = createDebug({ numbers: () => 'table\n', histograms: () => 'histograms\n' }, { write });
  for (const _ of answers) assert.equal(debug.consume(table), true);
  assert.deepEqual(texts.slice(3), [
    '2 tables left out: they came faster than they could be written\ntable\n',
    'table\n',
  ]);
});

const epoch = 1_795_293_831_000_000_000;
const [explicit, exponential] = [histogramOf({ attributes: { route: '/' } }), exponentialOf()];
const histograms = histogramTable(
  [
    [explicit, epoch, rowOf([1, 2, 3], { sum: 4.5, max: 2 })],
    [exponential, epoch, rowOf([7, 1, 0, 2, 4], { layout: powersOfTwo })],
    [explicit, epoch + 1_024, rowOf([], { count: NaN })],
  ],
  [exponential],
);

test('renderBasicHistograms counts rows, gaps and endings', () => {
  assert.equal(
    renderBasicHistograms({ ...histograms, epoch: BigInt(epoch) }),
    'histograms at 2026-11-21T20:43:51.000000000Z: 3 rows, 1 gap, 1 ended\n',
  );
});

test('renderHistograms writes a line for each histogram and each ending', () => {
  assert.equal(
    renderHistograms(histograms),
    `2026-11-21T20:43:51.000000000Z http.server.request.duration{route="/"} of {service.name="shop"} 6 values, sum 4.5, max 2 s: 1 <= 0.1, 2 <= 1, 3 <= Inf
2026-11-21T20:43:51.000000000Z rpc.duration{} of {service.name="shop"} 14 values s: scale 0, 7 zero, from index 0 [1 0 2], negative from index -1 [4]
2026-11-21T20:43:51.000001024Z http.server.request.duration{route="/"} of {service.name="shop"} (gap)
ended rpc.duration{} of {service.name="shop"}
`,
  );
});
