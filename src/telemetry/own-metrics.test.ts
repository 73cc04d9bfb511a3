import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metric, Series } from '../model/series.js';
import { createEnding, createRow } from '../model/table.js';
import { watchOwnEnergy } from './own-metrics.js';

const energy: Metric = {
  name: 'process.energy',
  unit: 'J',
  description: '',
  kind: 'counter',
  valueType: 'double',
};

function seriesOf(pid: number, hwType: string): Series {
  const resource = { attributes: { 'process.pid': pid } };
  return { metric: energy, resource, attributes: { 'hw.type': hwType }, start: 0n };
}

test('watchOwnEnergy adds up the energy of one process for all hardware, and none of others', () => {
  const own = watchOwnEnergy(7);
  assert.equal(own.readJoules(), undefined);
  const series = [seriesOf(7, 'cpu'), seriesOf(8, 'cpu'), seriesOf(7, 'memory')];
  own.consume(createRow(series, 1n, Float64Array.of(1, 100, 0.5)));
  own.consume(createRow(series, 2n, Float64Array.of(2, 200, NaN)));
  assert.equal(own.readJoules(), 2.5);
});

test('watchOwnEnergy counts once if two pipelines attribute, and accepts tables without rows', () => {
  const own = watchOwnEnergy(7);
  own.consume(createRow([seriesOf(7, 'cpu')], 1n, Float64Array.of(3)));
  own.consume(createRow([seriesOf(7, 'cpu')], 1n, Float64Array.of(3)));
  own.consume(createEnding([seriesOf(7, 'cpu')], 2n));
  own.consume({
    series: [seriesOf(7, 'cpu')],
    epoch: 3n,
    offsets: new Float64Array(0),
    values: new Float64Array(0),
  });
  assert.equal(own.readJoules(), 3);
});
