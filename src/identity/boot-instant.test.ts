import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readClocks } from '../linux/clocks.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { readBootInstantNs } from './boot-instant.js';

const second = 1_000_000_000n;
const tick = 10_000_000n;

/** A procfs of this machine at a made-up boot. Each has instants of its own, as another run of the collector has. */
function createProcfs(folder: string, name: string, { boot = 'boot-1', setBackBySeconds = 0n } = {}): string {
  const procfs = join(folder, name);
  mkdirSync(join(procfs, 'sys/kernel/random'), { recursive: true });
  writeFileSync(join(procfs, 'stat'), `cpu  0 0 0 0\nbtime ${readBootNs() / second - setBackBySeconds}\n`);
  writeFileSync(join(procfs, 'sys/kernel/random/boot_id'), `${boot}\n`);
  return procfs;
}

function readBootNs(): bigint {
  const { realtimeNs, boottimeNs } = readClocks();
  return realtimeNs - boottimeNs;
}

test('readBootInstantNs gives the difference of the clocks, cut to a tick', () => {
  const procfs = createProcfs(createFolder(), 'proc');
  const instantNs = readBootInstantNs(procfs, { read: [], write: undefined });
  assert.equal(instantNs % tick, 0n);
  assert.ok(readBootNs() - instantNs >= 0n && readBootNs() - instantNs < tick + 1_000_000n);
});

test('readBootInstantNs stays with the first instant of a boot in all runs, also when the clock was set', () => {
  const folder = createFolder();
  const path = join(folder, 'run', 'instant');
  const records = { read: [path], write: path };
  const first = readBootInstantNs(createProcfs(folder, 'first'), records);
  assert.equal(readFileSync(path, 'utf8'), `boot-1 0 0\n${first}\n`);
  // As if the clock had been set forward by an hour since.
  const earlierNs = first - 3600n * second;
  writeFileSync(path, `boot-1 0 0\n${earlierNs}\n`);
  assert.equal(readBootInstantNs(createProcfs(folder, 'again'), records), earlierNs);
  assert.equal(readBootInstantNs(createProcfs(folder, 'rebooted', { boot: 'boot-2' }), records), first);
  assert.equal(readFileSync(path, 'utf8'), `boot-2 0 0\n${first}\n`);
  assert.deepEqual(readdirSync(join(folder, 'run')), ['instant']);
});

test('readBootInstantNs believes no record that is not one, and does without where it cannot write', () => {
  const folder = createFolder();
  const path = join(folder, 'record');
  const wanted = readBootInstantNs(createProcfs(folder, 'plain'), { read: [], write: undefined });
  for (const [i, text] of ['', 'boot-1 0 0', 'boot-1 0 0\nsoon\n', `${'x'.repeat(1000)}\n`].entries()) {
    writeFileSync(path, text);
    const procfs = createProcfs(folder, `proc-${i}`);
    assert.equal(
      readBootInstantNs(procfs, { read: [path, '/dev/zero'], write: '/proc/absent/record' }),
      wanted,
    );
  }
});

test('readBootInstantNs goes by btime, where the procfs is of another machine', () => {
  const procfs = createProcfs(createFolder(), 'proc', { setBackBySeconds: 86_400n });
  const instantNs = readBootInstantNs(procfs, { read: [], write: undefined });
  assert.equal(instantNs, (readBootNs() / second - 86_400n) * second);
});
