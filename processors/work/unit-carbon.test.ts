import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../src/testing/random.fixture.js';
import { counted, create, createSeries, energy, last, requests } from './work.fixture.js';

test('work publishes the SCI of a unit: emissions of the energy and a share of the embodied ones', () => {
  const carbon = createSeries('service.carbon', { attributes: { 'carbon.accounting': 'location' } });
  const market = createSeries('service.carbon', { attributes: { 'carbon.accounting': 'market' } });
  const embodied = createSeries('hw.host.carbon.embodied', { resource: { 'host.name': 'node' } });
  const { feed, points } = create([{ ...requests, carbon: { embodied_share: 0.25 } }]);
  for (let second = 0; second <= 5; second++) {
    feed(
      second,
      [energy, counted, carbon, market, embodied],
      [10 * second, 4 * second, 3 * second, 1000 * second, 8 * second],
    );
  }
  // (3 g + a quarter of 8 g) for 4 requests.
  assert.equal(last(points('work.carbon.per_unit')), 1.25);
});

test('work counts the units of windows in which the meter did not change, and their emissions with the next energy', () => {
  const carbon = createSeries('service.carbon');
  const embodied = createSeries('hw.host.carbon.embodied', { resource: { 'host.name': 'node' } });
  const { feed, points } = create([{ ...requests, carbon: { embodied_share: 0.25 } }], {
    half_life: '500h',
  });
  for (let second = 0; second <= 8; second++) {
    const read = 2 * Math.floor(second / 2);
    // After 4 s there are no more requests and no more energy.
    const used = Math.min(4, read);
    feed(
      second,
      [energy, counted, carbon, embodied],
      [10 * used, 4 * Math.min(4, second), 3 * used, 8 * second],
    );
  }
  // In 2 s 6 g and a quarter of 16 g, for 8 requests.
  assert.equal(last(points('work.carbon.per_unit')).toFixed(6), '1.250000');
});

test('work publishes no emissions for a unit that needs no energy', () => {
  const units = ['a', 'b'].map((name) => ({ name, metric: name }));
  const { feed, points } = create([{ units, carbon: {} }]);
  const series = [energy, createSeries('a'), createSeries('b'), createSeries('service.carbon')];
  const random = createRandom(3);
  let [a, b] = [0, 0];
  for (let second = 0; second <= 40; second++) {
    feed(second, series, [5 * a, a, b, 2 * a]);
    a += random.whole(9);
    b += random.whole(9);
  }
  assert.ok(Math.abs(last(points('work.carbon.per_unit', 'a')) - 2) < 1e-6);
  assert.ok(last(points('work.carbon.per_unit', 'b')) < 1e-6);
});
