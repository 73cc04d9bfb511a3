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

/** MiB that remain resident of small memory freed, after a large buffer was. */
function measureLeftMebibytes(preparation: string): number {
  const script = `
    import { readFileSync } from 'node:fs';
    import koffi from 'koffi';
    import { giveBackFreedMemory } from ${JSON.stringify(moduleUrl)};
    ${preparation}
    const libc = koffi.load(null);
    const malloc = libc.func('uintptr_t malloc(size_t size)');
    const memset = libc.func('uintptr_t memset(uintptr_t memory, int byte, size_t size)');
    const free = libc.func('void free(uintptr_t memory)');
    const readResident = () => Number(/VmRSS:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
    const take = (size) => memset(malloc(size), 1, size);
    free(take(20 << 20));
    const before = readResident();
    Array.from({ length: 300 }, () => take(64 << 10)).forEach((memory) => free(memory));
    console.log(readResident() - before);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });
  assert.equal(stderr, '');
  return Number(stdout);
}

test(
  'giveBackFreedMemory lets memory go that was freed after a large buffer was',
  { skip: hasGlibc() ? false : 'the C library is not glibc' },
  () => {
    const kept = measureLeftMebibytes('');
    // What another thread of Node allocates meanwhile can lie above, and holds all of it: then again.
    let left = Infinity;
    for (let tries = 0; tries < 5 && left >= 5; tries++)
      left = measureLeftMebibytes('giveBackFreedMemory();');
    assert.ok(kept > 15 && left < 5, `${left} MiB, and ${kept} MiB without`);
  },
);

/** MiB that remain resident of blocks that were freed, each of which lies below one that is in use. */
function measureBetweenMebibytes(then: string): number {
  const script = `
    import { readFileSync } from 'node:fs';
    import koffi from 'koffi';
    import { trimFreedMemory } from ${JSON.stringify(moduleUrl)};
    const libc = koffi.load(null);
    const malloc = libc.func('uintptr_t malloc(size_t size)');
    const memset = libc.func('uintptr_t memset(uintptr_t memory, int byte, size_t size)');
    const free = libc.func('void free(uintptr_t memory)');
    const readResident = () => Number(/VmRSS:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
    const before = readResident();
    const blocks = Array.from({ length: 600 }, () => {
      const block = memset(malloc(64 << 10), 1, 64 << 10);
      malloc(5000);
      return block;
    });
    blocks.forEach((block) => free(block));
    ${then}
    console.log(readResident() - before);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });
  assert.equal(stderr, '');
  return Number(stdout);
}

test(
  'trimFreedMemory gives back what lies free between memory in use',
  { skip: hasGlibc() ? false : 'the C library is not glibc' },
  () => {
    const [kept, left] = [measureBetweenMebibytes(''), measureBetweenMebibytes('await trimFreedMemory();')];
    assert.ok(kept > 30 && left < 10, `${left} MiB, and ${kept} MiB without`);
  },
);
