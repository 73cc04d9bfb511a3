import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../src/model/check-tables.js';
import type { Series } from '../src/model/series.js';
import { assertClose, runPreset, sumBefore } from './preset-run.fixture.js';
import { total } from './sums.js';

test('the preset alumet has energy in joules since the last point, which add up to the counters', async (t) => {
  const run = await runPreset(t, 'alumet');
  checkTables(run.behind.tables);
  const first = new Map<Series, number>();
  for (const { series, values } of run.before.tables) {
    for (const [cell, value] of values.entries()) {
      const one = series[cell % series.length];
      if (one.metric.name === 'hw.energy' && !Number.isNaN(value) && !first.has(one)) first.set(one, value);
    }
  }
  const sums = new Map<unknown, number>();
  for (const { series, values } of run.behind.tables) {
    for (const [cell, value] of values.entries()) {
      const { metric, attributes } = series[cell % series.length];
      const key = `${String(attributes['resource_kind'])} ${String(attributes['resource_id'])}`;
      if (metric.name !== 'rapl_consumed_energy' || Number.isNaN(value)) continue;
      assert.equal(metric.kind, 'gauge');
      sums.set(key, (sums.get(key) ?? 0) + value);
    }
  }
  const meters = [...first].filter(([{ attributes }]) => attributes['hw.type'] !== 'gpu');
  const begun = total(meters.map(([, value]) => value));
  assert.ok(sums.has('cpu_package 0') && sums.has('dram 0'), [...sums.keys()].join());
  assertClose(total([...sums.values()]), sumBefore(run, 'hw.energy') - begun, 'rapl_consumed_energy');
});
