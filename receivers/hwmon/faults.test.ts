import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createFileFaults,
  noUnreadableFile,
  testFileFaults,
} from '../../src/scraping/file-faults.fixture.js';
import { checkFault, createReset } from '../../src/scraping/reader-faults.fixture.js';
import { blockPool } from '../../src/testing/block-pool.fixture.js';
import { createReceiver, factory } from './factory.js';
import { board, createBoard, startRig } from './hwmon-machine.fixture.js';

/** A chip with two sensors, and two counters of energy, 3 J more each second. */
function openMachine(file: string, subject: RegExp) {
  const sysfs = createBoard({ temp1_input: 45_000, temp2_input: 46_000 });
  const energies = [50, 70];
  const write = (index: number, joules: number): void => {
    energies[index] = joules;
    sysfs.write('hwmon0', `energy${index + 1}_input`, 1e6 * joules);
  };
  const tick = (): void => energies.forEach((joules, index) => write(index, joules + 3));
  tick();
  const path = join(sysfs.path, 'class/hwmon/hwmon0', file);
  return { factory, settings: { sysfs: sysfs.path }, tick, subject, path, reset: () => write(0, 1) };
}

// Descriptors stay open until the kernel reports that the chip is gone: ENODEV, which the files of a test
// cannot.
const contents = ['truncated', 'empty', 'garbage'] as const;
testFileFaults('hwmon sensors', () => openMachine('temp1_input', /temp1/u), contents);
testFileFaults('hwmon energy counters', () => openMachine('energy1_input', /energy1/u), contents);

test('hwmon counts on after the reset of an energy counter', async (t) => {
  const machine = openMachine('energy1_input', /energy1/u);
  await checkFault(t, machine, createReset(machine.reset));
});

test('hwmon has a gap where a chip has not answered in time, and reads the other chips', async (t) => {
  const sysfs = createBoard({ temp1_input: 45_000 });
  const temperatures = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`temp${i + 1}_input`, 30_000]),
  );
  sysfs.add('hwmon1', { device: 'platform/quick', files: { name: 'quick', ...temperatures } });
  // Each reading takes 10 ms by this clock: a chip with a few channels is slow, one with many is not.
  let nowMs = 0;
  const timing = { slowMs: 1, nowMs: () => (nowMs += 10) };
  const slow = {
    ...factory,
    create: (...args: Parameters<typeof factory.create>) => createReceiver(...args, timing),
  };
  let release: (() => Promise<void>) | undefined;
  t.after(() => release?.());
  const settings = { sysfs: sysfs.path };
  await checkFault(
    t,
    { factory: slow, settings, tick() {}, subject: /platform\/board/u },
    {
      begin: () => (release = blockPool(sysfs.path)),
      async end() {
        await release?.();
        rmSync(join(sysfs.path, 'nothing-written'));
      },
      problem: /platform\/board: no answer within 1000 ms/u,
    },
  );
});

test(
  'hwmon names sensors that may not be opened, once, and reads the others',
  { skip: noUnreadableFile },
  async (t) => {
    const sysfs = createBoard({ temp2_input: 46_000 });
    createFileFaults(sysfs.write('hwmon0', 'temp1_input', 45_000))['no permission'].begin();
    const rig = await startRig(t, sysfs);
    for (let i = 0; i < 3; i++) assert.equal((await rig.read(1))[`hw.temperature ${board}/temp2`], 46);
    assert.deepEqual(rig.log, [
      `warn: Leaving out sensors: ${sysfs.path}/class/hwmon/hwmon0/temp1_input: EACCES; run as root or grant CAP_DAC_READ_SEARCH`,
    ]);
  },
);
