import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, readlinkSync, rmSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PoolShare } from '../../src/scraping/pool-share.js';
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

/** Answers the readers of a FIFO, if there are any. */
function answer(path: string): void {
  const fd = openSync(path, constants.O_RDWR);
  writeSync(fd, '1\n');
  closeSync(fd);
}

test('ChipReader abandons a reading that hangs, and closes its files once it has ended', async (t) => {
  const sysfs = createBoard({ temp1_input: 45_000, temp2_input: 46_000 });
  const [chip] = await findChips(sysfs.path);
  const reader = new ChipReader(chip, [], { timing: slow });
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
  const reader = new ChipReader(chip, [], { timing: slow });
  t.after(() => reader.close());
  const release = blockPool(sysfs.path);
  t.after(release);
  await reader.open(chip);
  assert.deepEqual([reader.isPending, [...reader.values]], [true, [NaN]]);
  await release();
  await until(() => !reader.isPending);
  assert.deepEqual([...reader.values], [45_000]);
});

test('ChipReader waits for readings of other chips that hang, and reads the chip after them', async (t) => {
  const sysfs = createBoard({ temp1_input: 45_000 });
  const [chip] = await findChips(sysfs.path);
  const pool = new PoolShare();
  const reader = new ChipReader(chip, [], { timing: slow, pool });
  t.after(() => reader.close());
  await reader.open(chip);
  const ends: (() => void)[] = [];
  for (let i = 0; i < 2; i++) void pool.run(() => new Promise<void>((resolve) => ends.push(resolve)));
  await until(() => ends.length === 2);
  sysfs.write('hwmon0', 'temp1_input', 46_000);
  let isBegun = false;
  const reading = reader.read(() => (isBegun = true));
  assert.deepEqual([reader.isPending, isBegun], [true, false]);
  ends[0]?.();
  await reading;
  assert.deepEqual([isBegun, [...reader.values]], [true, [46_000]]);
  ends[1]?.();
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

test('ChipSearch leaves threads of the pool to others, however many drivers hang', async (t) => {
  const sysfs = createBoard({ temp1_input: 45_000 });
  const paths = [1, 2, 3, 4, 5].map((number) => {
    const device = `platform/${number}`;
    sysfs.add(`hwmon${number}`, { device, files: { name: 'hanging', in1_input: 5000 } });
    return join(sysfs.path, `class/hwmon/hwmon${number}/in1_enable`);
  });
  for (const path of paths) execFileSync('mkfifo', [path]);
  const found = await new ChipSearch().find(sysfs.path);
  t.after(() => {
    for (const path of paths) answer(path);
  });
  assert.deepEqual(
    found.map(({ id }) => id),
    [board],
  );
  assert.equal(await readFile(join(sysfs.path, 'class/hwmon/hwmon0/name'), 'utf8'), 'board\n');
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
  answer(path);
  rmSync(path);
  sysfs.write('hwmon0', 'in2_input', 3300);
  await until(async () => (await search.find(sysfs.path))[0]?.channels.length === 2);
});
