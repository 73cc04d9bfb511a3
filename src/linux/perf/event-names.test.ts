import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findEventCode, listEventNames } from './event-names.js';

test('findEventCode knows names of perf and of the kernel, whatever their case', () => {
  const codes = ['cycles', 'CPU_CYCLES', 'branches', 'BRANCH_INSTRUCTIONS', 'PAGE_FAULTS_MAJ', 'cs'];
  assert.deepEqual(
    codes.map((name) => findEventCode(name)),
    [
      { type: 0, config: 0n },
      { type: 0, config: 0n },
      { type: 0, config: 4n },
      { type: 0, config: 4n },
      { type: 1, config: 6n },
      { type: 1, config: 3n },
    ],
  );
});

test('findEventCode puts cache, operation and result where the kernel wants them', () => {
  const names = [
    'LLC-stores',
    'DTLB_WRITE_MISS',
    'node-prefetch-misses',
    'branch-loads',
    'L1D_PREFETCH_ACCESS',
  ];
  assert.deepEqual(
    names.map((name) => findEventCode(name)?.config),
    [0x102n, 0x10103n, 0x10206n, 0x5n, 0x200n],
  );
});

test('findEventCode knows nothing else', () => {
  assert.equal(findEventCode('cycle'), undefined);
  assert.equal(findEventCode('L1-dcache-load-misses-more'), undefined);
  assert.equal(findEventCode(''), undefined);
});

test('listEventNames lists every combination of a cache', () => {
  const names = new Set(listEventNames());
  for (const cache of ['l1d', 'l1i', 'll', 'dtlb', 'itlb', 'bpu', 'node']) {
    for (const operation of ['read', 'write', 'prefetch']) {
      assert.ok(names.has(`${cache}-${operation}-access`), cache);
      assert.ok(names.has(`${cache}-${operation}-miss`), cache);
    }
  }
});
