import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLockedMemoryLimit } from './locked-memory.js';

const limitOf = (soft: string) => (): string =>
  `Limit                     Soft Limit           Hard Limit           Units     \nMax locked memory         ${soft.padEnd(20)} unlimited            bytes     \n`;

test('findLockedMemoryLimit gives the soft limit in kB before Linux 5.11 only', () => {
  const limits = limitOf('65536');
  assert.equal(findLockedMemoryLimit('5.10.0-46-amd64', limits), 64);
  assert.equal(findLockedMemoryLimit('4.18.0-553.el8', limits), 64);
  for (const kernel of ['5.11.0', '5.15.0-1-generic', '6.1.0-56-amd64'])
    assert.equal(findLockedMemoryLimit(kernel, limits), undefined);
});

test('findLockedMemoryLimit gives nothing when there is no limit', () => {
  assert.equal(findLockedMemoryLimit('5.10.0', limitOf('unlimited')), undefined);
  assert.equal(
    findLockedMemoryLimit('5.10.0', () => ''),
    undefined,
  );
});
