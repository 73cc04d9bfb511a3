import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { libc } from './libc.js';

const moduleUrl = new URL('libc.js', import.meta.url).href;

function hasGlibc(): boolean {
  try {
    return libc.func('const char *gnu_get_libc_version()') !== undefined;
  } catch {
    return false;
  }
}

/** MiB that remain resident after `use`, in which `take` allocates and fills memory and `free` frees it. */
function measureLeftMebibytes(use: string): number {
  const script = `
    import { readFileSync } from 'node:fs';
    import koffi from 'koffi';
    import { giveBackFreedMemory, trimFreedMemory } from ${JSON.stringify(moduleUrl)};
    const libc = koffi.load(null);
    const malloc = libc.func('uintptr_t malloc(size_t size)');
    const memset = libc.func('uintptr_t memset(uintptr_t memory, int byte, size_t size)');
    const free = libc.func('void free(uintptr_t memory)');
    const readResident = () => Number(/VmRSS:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
    const take = (size) => memset(malloc(size), 1, size);
    let before = readResident();
    ${use}
    console.log(readResident() - before);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });
  assert.equal(stderr, '');
  return Number(stdout);
}

/** Frees small memory after a large buffer was freed. */
const afterLargeBuffer = `
    free(take(20 << 20));
    before = readResident();
    Array.from({ length: 300 }, () => take(64 << 10)).forEach((memory) => free(memory));`;

test(
  'giveBackFreedMemory lets memory go that was freed after a large buffer was',
  { skip: hasGlibc() ? false : 'the C library is not glibc' },
  () => {
    const kept = measureLeftMebibytes(afterLargeBuffer);
    // What another thread of Node allocates meanwhile can lie above, and holds all of it: then again.
    let left = Infinity;
    for (let tries = 0; tries < 5 && left >= 5; tries++)
      left = measureLeftMebibytes(`giveBackFreedMemory(); ${afterLargeBuffer}`);
    assert.ok(kept > 15 && left < 5, `${left} MiB, and ${kept} MiB without`);
  },
);

/** Frees blocks, each of which lies below one that remains in use. */
const betweenBlocks = `
    const blocks = Array.from({ length: 600 }, () => {
      const block = take(64 << 10);
      malloc(5000);
      return block;
    });
    blocks.forEach((block) => free(block));`;

test(
  'trimFreedMemory gives back what lies free between memory in use',
  { skip: hasGlibc() ? false : 'the C library is not glibc' },
  () => {
    const kept = measureLeftMebibytes(betweenBlocks);
    const left = measureLeftMebibytes(`${betweenBlocks} await trimFreedMemory();`);
    assert.ok(kept > 30 && left < 10, `${left} MiB, and ${kept} MiB without`);
  },
);
