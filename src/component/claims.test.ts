import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hwEnergy } from '../model/shared-metrics.js';
import { createEnding } from '../model/table.js';
import { ClaimedSeries } from './claims.js';
import { createTableCollector } from './fakes.js';

const keys = ['energy/cpu/0', 'energy/memory/0', 'energy/cpu/1/1', 'energy/psys/0'];
const resource = { attributes: {} };
const series = keys.map((key) => ({ metric: hwEnergy, resource, attributes: { 'hw.id': key }, start: 0n }));
const table = {
  series,
  epoch: 5n,
  offsets: Float64Array.of(0, 10),
  values: Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8),
};

/** Claims with which another receiver has these keys. */
function claim(...taken: readonly string[]) {
  const next = createTableCollector();
  const claims = { claim: (key: string) => (taken.includes(key) ? 'rapl/first' : undefined) };
  const claimed = new ClaimedSeries(claims, next);
  const owners = series.map((one, i) => claimed.claim(keys[i] ?? '', one));
  return { claimed, owners, next };
}

test('ClaimedSeries forwards tables as they are, when no other receiver publishes anything of them', () => {
  const { claimed, owners, next } = claim();
  assert.deepEqual(owners, [undefined, undefined, undefined, undefined]);
  claimed.consume(table);
  assert.equal(next.tables[0], table);
});

test('ClaimedSeries leaves out what others publish, and names them', () => {
  const { claimed, owners, next } = claim('energy/cpu/0', 'energy/cpu/1/1');
  assert.deepEqual(owners, ['rapl/first', undefined, 'rapl/first', undefined]);
  claimed.consume(table);
  claimed.consume(table);
  claimed.consume(createEnding(series, 9n));
  const [first, second, ending] = next.tables;
  assert.deepEqual(first?.series, [series[1], series[3]]);
  assert.equal(first?.series, second?.series);
  assert.deepEqual(first?.values, Float64Array.of(2, 4, 6, 8));
  assert.deepEqual(ending?.ended, [series[1], series[3]]);
});

test('ClaimedSeries hands nothing on, when others publish all', () => {
  const { claimed, next } = claim(...keys);
  assert.equal(claimed.consume(table), true);
  assert.equal(claimed.consume(createEnding(series, 9n)), true);
  assert.deepEqual(next.tables, []);
});
