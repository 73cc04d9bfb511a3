import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimKey, nameDomain, type Domain } from './domain.js';

const domains: readonly Domain[] = [
  { kind: 'package', package: 0 },
  { kind: 'dram', package: 1 },
  { kind: 'core', package: 1, die: 0 },
  { kind: 'psys', package: 0 },
  { kind: 'psys', package: 1 },
];

test('nameDomain names domains as the kernel does', () => {
  assert.deepEqual(domains.map(nameDomain), ['package-0', 'dram-1', 'core-1-die-0', 'psys', 'psys-1']);
});

test('claimKey names domains by their place, so that a package overlaps with its dies', () => {
  assert.deepEqual(domains.map(claimKey), [
    'energy/cpu/0',
    'energy/memory/1',
    'energy/core/1/0',
    'energy/psys/0',
    'energy/psys/1',
  ]);
});
