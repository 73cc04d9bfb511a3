import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Table } from '../../src/model/table.js';
import { blockPool } from '../../src/testing/block-pool.fixture.js';
import { until } from '../../src/testing/until.js';
import { ChipReader } from './chip-reader.js';
import { factory } from './factory.js';
import { findChips } from './find-chips.js';
import { board, createBoard } from './hwmon-machine.fixture.js';
import { HwmonScraper } from './hwmon-scraper.js';

test('ChipReader reads a slow chip on the pool, and no second time meanwhile', async (t) => {
  const sysfs = createBoard({
    in1_input: 12_000,
    curr1_input: 500,
    temp1_input: 45_000,
    temp1_fault: 1,
    temp2_input: 'N/A',
  });
  const [chip] = await findChips(sysfs.path);
  const reader = new ChipReader(chip, [[0, 1]], { timing: { slowMs: -1, nowMs: () => 0 } });
  t.after(() => reader.close());
  await reader.open(chip);
  reader.values.fill(0);
  const reading = reader.read();
  assert.equal(reader.isPending, true);
  assert.equal(reader.read(), reading);
  await reading;
  assert.equal(reader.isPending, false);
  assert.deepEqual([...reader.values], [12_000, 500, NaN, NaN, 6_000_000]);
  rmSync(join(sysfs.path, 'class/hwmon/hwmon0/in1_input'));
});

test('ChipReader leaves the pool after quick readings in a row, and later each time that it is slow again', async (t) => {
  const sysfs = createBoard({ in1_input: 12_000, in2_input: 3300 });
  const [chip] = await findChips(sysfs.path);
  let nowMs = 0;
  let stepMs = 10;
  const reader = new ChipReader(chip, [], { timing: { slowMs: 0.5, nowMs: () => (nowMs += stepMs) } });
  t.after(() => reader.close());
  await reader.open(chip);
  const countOnPool = async (): Promise<number> => {
    let count = 0;
    for (let reading = reader.read(); reading !== undefined; reading = reader.read()) {
      count++;
      await reading;
    }
    return count;
  };
  await reader.read();
  stepMs = 0.1;
  assert.equal(await countOnPool(), 4);
  assert.equal(await countOnPool(), 0);
  stepMs = 10;
  assert.equal(reader.read(), undefined);
  await reader.read();
  stepMs = 0.1;
  assert.equal(await countOnPool(), 8);
  assert.deepEqual([...reader.values], [12_000, 3300]);
});

test('hwmon forwards the row of a chip that answers too late with the next one', async (t) => {
  const sysfs = createBoard({ temp1_input: 45_000 });
  const config = parseSettings(factory.schema, { sysfs: sysfs.path });
  let [nowNs, looks] = [0n, 0];
  const monotonicNs = (): bigint => {
    looks++;
    return nowNs;
  };
  const context = createFakeContext({ clock: { wallNs: () => nowNs, monotonicNs, countBreaks: () => 0 } });
  const scraper = await HwmonScraper.open(config, context, { slowMs: -1, nowMs: () => 0 });
  t.after(() => scraper.close());
  const release = blockPool(sysfs.path);
  const rows: Table[] = [];
  const scrape = async () => {
    for (const row of await scraper.scrape(0)) rows.push(row);
  };
  await assert.rejects(scrape, {
    message: `Cannot read sensors: ${board}: no answer within 1000 ms`,
  });
  assert.equal(rows.length, 0);
  nowNs = 1_600_000_000n;
  const before = looks;
  await release();
  await until(() => looks > before);
  nowNs = 2_000_000_000n;
  await scrape();
  assert.deepEqual(
    rows.map(({ epoch, offsets, values }) => [Number(epoch) + offsets[0], values[0]]),
    [
      [800_000_000, 45],
      [2_000_000_000, 45],
    ],
  );
});
