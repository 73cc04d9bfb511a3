import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readMemoryUse } from './memory-use.js';

/** More than the kernel's counters may be behind: some pages for each CPU. */
const toleranceBytes = 4 << 20;

function isNear(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) < toleranceBytes;
}

test('readMemoryUse gives the resident and the anonymous memory that smaps_rollup counts', () => {
  const { residentBytes, privateBytes } = readMemoryUse('self');
  const text = readFileSync('/proc/self/smaps_rollup', 'latin1');
  const bytesOf = (name: string) =>
    Number(new RegExp(`^${name}: *(\\d+) kB`, 'mu').exec(text)?.[1] ?? NaN) * 1024;
  assert.ok(isNear(residentBytes, bytesOf('Rss')), `${residentBytes}\n${text}`);
  assert.ok(isNear(privateBytes, bytesOf('Anonymous')), `${privateBytes}\n${text}`);
});

test('readMemoryUse counts memory that was written as private', () => {
  const before = readMemoryUse('self');
  const block = Buffer.alloc(64 << 20, 1);
  const { residentBytes, privateBytes } = readMemoryUse('self');
  assert.ok(isNear(privateBytes - before.privateBytes, block.length));
  assert.ok(isNear(residentBytes - before.residentBytes, block.length));
});

test('readMemoryUse throws for a process that does not exist', () => {
  assert.throws(() => readMemoryUse(0x7fff_ffff), { code: 'ENOENT' });
});
