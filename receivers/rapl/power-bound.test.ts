import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DomainKind } from './domain.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import { findMaxWatts } from './find-powercap.js';

function findWith(
  t: { after(callback: () => void): void },
  files: Readonly<Record<string, number>>,
  kind: DomainKind = 'package',
): number {
  const sysfs = createFakeSysfs(t);
  for (const [file, microwatts] of Object.entries(files)) sysfs.write(file, `${microwatts}\n`);
  return findMaxWatts(sysfs.root, kind);
}

test('findMaxWatts gives ten times the greatest power that the zone may have', (t) => {
  const files = { constraint_0_max_power_uw: 125_000_000, constraint_1_max_power_uw: 0 };
  assert.equal(findWith(t, { ...files, constraint_0_power_limit_uw: 300_000_000 }), 1_250);
});

test('findMaxWatts gives ten times the power limit, when no greatest power is stated', (t) => {
  const files = { constraint_0_max_power_uw: 0, constraint_0_power_limit_uw: 95_000_000 };
  assert.equal(findWith(t, { ...files, constraint_1_power_limit_uw: 120_000_000 }), 1_200);
});

test('findMaxWatts does not go below 500 W, since a short burst goes far beyond a small limit', (t) => {
  assert.equal(findWith(t, { constraint_0_max_power_uw: 15_000_000 }), 500);
});

test('findMaxWatts does not believe a limit that nobody set', (t) => {
  assert.equal(findWith(t, { constraint_0_power_limit_uw: 4_095_875_000_000 }), 10_000);
});

test('findMaxWatts goes by the kind of domain, when the zone states nothing', (t) => {
  assert.equal(findWith(t, {}), 2_000);
  assert.equal(findWith(t, {}, 'psys'), 20_000);
});
