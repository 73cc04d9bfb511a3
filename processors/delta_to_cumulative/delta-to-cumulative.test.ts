import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Metric, Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { factory } from './factory.js';

const metric: Metric = { name: 'energy', unit: 'J', description: '', kind: 'counter', valueType: 'double' };

function seriesOf(one: Metric): Series {
  return { metric: one, resource: { attributes: {} }, attributes: {}, start: 1n };
}

test('delta_to_cumulative takes back that counters are sent as deltas, and changes nothing else', () => {
  const out = createTableCollector();
  const settings = { max_stale: '10m', max_streams: 100 };
  const processor = factory.create(parseSettings(factory.schema, settings), createFakeContext(), out);
  const plain = createRow([seriesOf(metric)], 2n, Float64Array.of(3));
  processor.consume(plain);
  assert.equal(out.tables[0], plain);
  const other = { ...metric, name: 'other' };
  const marked = seriesOf({ ...other, delta: { initial: 'auto', since: 0n } });
  const series = [marked, { ...marked, attributes: { id: 2 } }];
  processor.consume(createRow(series, 2n, Float64Array.of(3, 4)));
  const expected = [seriesOf(other), { ...seriesOf(other), attributes: { id: 2 } }];
  assert.deepEqual(out.tables[1], createRow(expected, 2n, Float64Array.of(3, 4)));
  assert.equal(out.tables[1]?.series[0]?.metric, out.tables[1]?.series[1]?.metric, 'one object');
});
