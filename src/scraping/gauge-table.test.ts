import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metric } from '../model/series.js';
import { GaugeTable } from './gauge-table.js';

const metric: Metric = { name: 'level', unit: '1', description: '', kind: 'gauge', valueType: 'double' };
const [first, second, third] = ['first', 'second', 'third'].map((name) => ({ metric, attributes: { name } }));

test('GaugeTable keeps the array of series while its columns stay', () => {
  const gauges = new GaugeTable({ attributes: {} }, [first, second]);
  const [one, two] = [gauges.row(1n, [1, 2]), gauges.row(2n, [3, NaN])];
  assert.equal(one.series, two.series);
  assert.deepEqual([...two.values], [3, NaN]);
  assert.deepEqual(
    one.series.map(({ start, attributes }) => [start, attributes['name']]),
    [
      [1n, 'first'],
      [1n, 'second'],
    ],
  );
});

test('GaugeTable.choose keeps the series of columns that stay, and ends those of the others once', () => {
  const gauges = new GaugeTable({ attributes: {} }, [first, second]);
  const before = gauges.row(1n, [1, 2]);
  gauges.choose([second, third]);
  const after = gauges.row(2n, [2, 3]);
  assert.equal(after.series[0], before.series[1]);
  assert.equal(after.series[1].start, 2n);
  assert.deepEqual(after.ended, [before.series[0]]);
  assert.equal(gauges.row(3n, [2, 3]).ended, undefined);
});

test('GaugeTable.restart ends every series, including those removed before the next row', () => {
  const gauges = new GaugeTable({ attributes: {} }, [first, second]);
  const before = gauges.row(1n, [1, 2]);
  gauges.choose([second]);
  assert.deepEqual(gauges.restart(5n).ended, before.series);
  const after = gauges.row(6n, [2]);
  assert.equal(after.ended, undefined);
  assert.equal(after.series[0].start, 6n);
});
