import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { findCpuClocks } from './cpu-time-source.js';

test('findCpuClocks gives the CPU clocks, for the procfs of our own pid namespace', (t) => {
  assert.equal(findCpuClocks('/proc')?.read(process.pid), true);
  assert.notEqual(findCpuClocks(createProcfs(t, `Name:\tnode\nNSpid:\t${process.pid}\n`)), undefined);
});

test('findCpuClocks gives nothing, for that of another pid namespace', (t) => {
  assert.equal(findCpuClocks(createProcfs(t, `NSpid:\t48231\t${process.pid}\n`)), undefined);
  assert.equal(findCpuClocks(createProcfs(t, `NSpid:\t${process.pid + 1}\n`)), undefined);
});

test('findCpuClocks gives nothing, for a folder that we are not in', () => {
  assert.equal(findCpuClocks('/proc/self/absent'), undefined);
});

function createProcfs(t: TestContext, status: string): string {
  const path = mkdtempSync(join(tmpdir(), 'procfs-'));
  t.after(() => rmSync(path, { recursive: true }));
  mkdirSync(join(path, 'self'));
  writeFileSync(join(path, 'self', 'status'), status);
  return path;
}
