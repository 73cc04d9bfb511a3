import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTableCollector } from '../../src/contract/fakes.js';
import { createEnding } from '../../src/model/table.js';
import { ClaimedDomains } from './claimed-domains.js';
import type { Domain } from './domain.js';
import { createSeries } from './metrics.js';

const domains: readonly Domain[] = [
  { kind: 'package', package: 0 },
  { kind: 'dram', package: 0 },
  { kind: 'package', package: 1, die: 1 },
  { kind: 'psys', package: 0 },
];
const series = createSeries({ interface: 'powercap', domains }, { attributes: {} }, 0n);
const table = {
  series,
  epoch: 5n,
  offsets: Float64Array.of(0, 10),
  values: Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8),
};

/** Claims with which others have these keys. */
function claim(...taken: readonly string[]) {
  const asked: string[] = [];
  const next = createTableCollector();
  const claims = {
    claim(key: string) {
      asked.push(key);
      return taken.includes(key) ? 'rapl/first' : undefined;
    },
  };
  const claimed = new ClaimedDomains(claims, next);
  return { claimed, foreign: claimed.claim(domains, series), next, asked };
}

test('ClaimedDomains claims each domain by its place', () => {
  assert.deepEqual(claim().asked, ['energy/cpu/0', 'energy/memory/0', 'energy/cpu/1/1', 'energy/psys/0']);
});

test('ClaimedDomains hands tables on as they are, when nobody else has a domain of them', () => {
  const { claimed, foreign, next } = claim();
  assert.deepEqual(foreign, []);
  claimed.consume(table);
  assert.equal(next.tables[0], table);
});

test('ClaimedDomains leaves out what others publish, and names them', () => {
  const { claimed, foreign, next } = claim('energy/cpu/0', 'energy/cpu/1/1');
  assert.deepEqual(foreign, ['package-0 by "rapl/first"', 'package-1-die-1 by "rapl/first"']);
  claimed.consume(table);
  claimed.consume(table);
  claimed.consume(createEnding(series, 9n));
  const [first, second, ending] = next.tables;
  assert.deepEqual(first?.series, [series[1], series[3]]);
  assert.equal(first?.series, second?.series);
  assert.deepEqual(first?.values, Float64Array.of(2, 4, 6, 8));
  assert.deepEqual(ending?.ended, [series[1], series[3]]);
});

test('ClaimedDomains hands nothing on, when others publish all', () => {
  const { claimed, next } = claim('energy/cpu/0', 'energy/memory/0', 'energy/cpu/1/1', 'energy/psys/0');
  assert.equal(claimed.consume(table), true);
  assert.equal(claimed.consume(createEnding(series, 9n)), true);
  assert.deepEqual(next.tables, []);
});
