import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Columns } from './domain.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import { openOn, readRow } from './sampler.fixture.js';

/** A package whose MSR does not change at the given reading, with an MMIO copy that counts. */
function openBesideCopy(t: TestContext, microjoules: number, dram?: number) {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules });
  sysfs.writeZone('intel-rapl-mmio:0', { name: 'package-0', microjoules: 900_000_000 });
  if (dram !== undefined) sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: dram });
  let nowMs = 0;
  const sampler = openOn(sysfs, () => nowMs);
  t.after(() => sampler.close());
  const readAt = (ms: number, msr: number | string, mmio: number) => {
    nowMs = ms;
    sysfs.writeEnergy('intel-rapl:0', msr);
    sysfs.writeEnergy('intel-rapl-mmio:0', mmio);
    const row = readRow(sampler);
    sampler.maintain?.();
    return row;
  };
  return { sampler, readAt, columns: () => sampler.columns as Columns };
}

for (const msr of [0, 7_000_000]) {
  test(`openRaplSampler reads the copy of a zone that does not change at ${msr} uJ, from its own start`, (t) => {
    const { sampler, readAt, columns } = openBesideCopy(t, msr);
    assert.deepEqual(readAt(0, msr, 900_000_000), [0]);
    assert.deepEqual(readAt(10_000, msr, 950_000_000), [0]);
    const [id] = sampler.columnIds ?? [];
    assert.equal(sampler.generation, 0);
    assert.deepEqual(readAt(11_000, msr, 955_000_000), [55]);
    assert.notEqual(sampler.columnIds?.[0], id);
    const { sources, left, agesMs, resets, reset, hasCounted, events } = columns();
    assert.deepEqual(
      { sources, left, agesMs, resets, reset, hasCounted },
      {
        sources: ['intel-rapl-mmio:0'],
        left: [{ domain: { kind: 'package', package: 0 }, source: 'intel-rapl:0', state: 'copy' }],
        agesMs: [11_000],
        resets: 0,
        reset: [],
        hasCounted: [true],
      },
    );
    assert.deepEqual(events, [
      {
        level: 'warn',
        text: 'package-0 is read from intel-rapl-mmio:0 instead of intel-rapl:0, which stood still while intel-rapl-mmio:0 counted 50 J',
      },
    ]);
  });
}

test('openRaplSampler keeps the copy when the zone starts to count or other zones are added', (t) => {
  const { sampler, readAt, columns } = openBesideCopy(t, 7_000_000);
  readAt(0, 7_000_000, 900_000_000);
  readAt(10_000, 7_000_000, 950_000_000);
  const rows = [1, 2, 3, 4].map((i) =>
    readAt(10_000 + i * 10_000, 7_000_000 + i * 1_000_000, 950_000_000 + i * 1_000_000),
  );
  assert.deepEqual(rows, [[51], [52], [53], [54]]);
  assert.equal(sampler.generation, 1);
  assert.deepEqual(columns().sources, ['intel-rapl-mmio:0']);
});

test('openRaplSampler reads the copy of a zone that fails permanently, while others are read', (t) => {
  const { sampler, readAt, columns } = openBesideCopy(t, 7_000_000, 5_000_000);
  readAt(0, 7_000_000, 900_000_000);
  assert.deepEqual(readAt(9_000, 16_000_000, 909_000_000), [9, 0]);
  for (const ms of [10_000, 15_000]) readAt(ms, '', 900_000_000 + ms * 1_000);
  assert.equal(sampler.generation, 0);
  assert.deepEqual(readAt(20_000, '', 920_000_000), [NaN, 0]);
  assert.deepEqual(readAt(21_000, '', 921_000_000), [11, 0]);
  assert.deepEqual(columns().agesMs, [11_000, 0]);
  assert.match(columns().events[0]?.text ?? '', /instead of intel-rapl:0, which gave no reading while/);
});

test('openRaplSampler reports when two zones of a domain differ, and continues its series', (t) => {
  const { sampler, readAt, columns } = openBesideCopy(t, 7_000_000);
  readAt(0, 7_000_000, 900_000_000);
  const ids = sampler.columnIds;
  readAt(10_000, 107_000_000, 950_000_000);
  assert.equal(sampler.generation, 1);
  assert.deepEqual(sampler.columnIds, ids);
  assert.match(columns().events[0]?.text ?? '', /^intel-rapl:0 and intel-rapl-mmio:0, .* 100 J and 50 J;/);
  assert.deepEqual(readAt(11_000, 108_000_000, 951_000_000), [101]);
});
