import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { blockPool } from '../../src/testing/block-pool.fixture.js';
import { until } from '../../src/testing/until.js';
import { ChipReader } from './chip-reader.js';
import { createReceiver, factory } from './factory.js';
import { ChipSearch, findChips } from './find-chips.js';
import { board, createBoard, type FakeSysfs } from './hwmon-machine.fixture.js';

/** Every reading is slow by this clock, so that it is taken on the pool. */
const slow = { slowMs: -1, nowMs: () => 0 };

/** Number of files of a machine that this process has open, without those of `blockPool`. */
function countOpenFiles({ path }: FakeSysfs): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return targets.filter((target) => target.startsWith(join(path, 'devices'))).length;
}

test('ChipReader abandons a reading that hangs, and closes its files once it has ended', async (t) => {
  const sysfs = createBoard({ temp1_input: 45_000, temp2_input: 46_000 });
  const [chip] = await findChips(sysfs.path);
  const reader = new ChipReader(chip, [], slow);
  await reader.open(chip);
  assert.equal(countOpenFiles(sysfs), 2);
  const release = blockPool(sysfs.path);
  t.after(release);
  void reader.read();
  await reader.close();
  assert.deepEqual([reader.isPending, countOpenFiles(sysfs)], [true, 2]);
  await release();
  await until(() => countOpenFiles(sysfs) === 0);
});

test('ChipReader is opened although its driver does not answer, and has values once it does', async (t) => {
  const sysfs = createBoard({ temp1_input: 45_000 });
  const [chip] = await findChips(sysfs.path);
  const reader = new ChipReader(chip, [], slow);
  t.after(() => reader.close());
  const release = blockPool(sysfs.path);
  t.after(release);
  await reader.open(chip);
  assert.deepEqual([reader.isPending, [...reader.values]], [true, [NaN]]);
  await release();
  await until(() => !reader.isPending);
  assert.deepEqual([...reader.values], [45_000]);
});

test('hwmon shuts down although a driver does not answer', async (t) => {
  const sysfs = createBoard({ temp1_input: 45_000 });
  const hanging = {
    ...factory,
    create: (...args: Parameters<typeof factory.create>) => createReceiver(...args, slow),
  };
  const settings = { sysfs: sysfs.path, collection_interval: '1h' };
  const { receiver, collector, log } = await startReceiver(t, hanging, settings);
  await until(() => collector.tables.length > 0);
  const release = blockPool(sysfs.path);
  t.after(release);
  await receiver.flush?.();
  assert.deepEqual(log.lines, [
    `error: Cannot scrape: Cannot read sensors: ${board}: no answer within 1000 ms`,
  ]);
  await receiver.shutdown();
  await release();
  await until(() => countOpenFiles(sysfs) === 0);
});

test('ChipSearch knows a chip whose driver hangs as it was before, and finds other chips', async () => {
  const sysfs = createBoard({ in1_input: 5000 });
  const search = new ChipSearch();
  const find = async () => (await search.find(sysfs.path)).map(({ id, channels }) => [id, channels.length]);
  assert.deepEqual(await find(), [[board, 1]]);
  const path = join(sysfs.path, 'class/hwmon/hwmon0/in1_enable');
  // Reading it blocks until there is a writer.
  execFileSync('mkfifo', [path]);
  sysfs.add('hwmon1', { device: 'platform/b', files: { name: 'b', temp1_input: 1000 } });
  const known = [
    [board, 1],
    ['platform/b', 1],
  ];
  assert.deepEqual(await find(), known);
  // Each question would block another thread, and there are four.
  for (let i = 0; i < 6; i++) assert.deepEqual(await find(), known);
  writeFileSync(path, '1\n');
  rmSync(path);
  sysfs.write('hwmon0', 'in2_input', 3300);
  await until(async () => (await search.find(sysfs.path))[0]?.channels.length === 2);
});
