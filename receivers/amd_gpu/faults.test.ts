import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { FakeCards } from '../../src/gpu/fake-cards.fixture.js';
import { testHangingCards } from '../../src/gpu/hanging-cards.fixture.js';
import { testFileFaults } from '../../src/scraping/file-faults.fixture.js';
import { checkFault, createReset } from '../../src/scraping/reader-faults.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { accelerator } from './amd-cards.fixture.js';
import { factory, receiver } from './factory.js';

/** Two cards, each with a sensor of power and of temperature. */
function openMachine(file: string, subject: RegExp) {
  const cards = new FakeCards();
  for (const card of [0, 1]) {
    cards.add(
      card,
      { address: `0000:0${card + 3}:00.0`, driver: 'amdgpu' },
      {
        device: '0x73bf',
        'hwmon/hwmon4/name': 'amdgpu',
        'hwmon/hwmon4/power1_average': 118_000_000,
        'hwmon/hwmon4/temp1_input': 51_000,
        'hwmon/hwmon4/temp1_label': 'edge',
      },
    );
  }
  const settings = { sysfs: cards.sysfs, procfs: createFolder() };
  const path = cards.pathOf(0, `hwmon/hwmon4/${file}`);
  // What is not here any more is no failure.
  const changes = { vanishing: { problem: undefined } };
  return { factory, settings, tick() {}, subject, path, changes, maxPerSecond: 118 };
}

testFileFaults('amd_gpu sensors of power', () =>
  openMachine('power1_average', /hw\.(?:gpu\.power|energy) .*0000:03/u),
);
testFileFaults('amd_gpu temperatures', () => openMachine('temp1_input', /hw\.temperature .*0000:03/u));

/** Two accelerators, whose accumulators count a joule from one reading to the next. */
function openAccelerators() {
  const cards = new FakeCards();
  for (const card of [0, 1])
    cards.add(
      card,
      { address: `0000:0${card + 3}:00.0`, driver: 'amdgpu' },
      { device: '0x74a1', 'hwmon/hwmon4/name': 'amdgpu' },
    );
  const counts = [10n ** 12n, 10n ** 12n];
  const tick = () => {
    for (const card of [0, 1]) {
      counts[card] = (counts[card] ?? 0n) + 65_536n;
      writeFileSync(cards.pathOf(card, 'gpu_metrics'), accelerator(counts[card]));
    }
  };
  const reset = () => {
    counts[0] = 0n;
    writeFileSync(cards.pathOf(0, 'gpu_metrics'), accelerator(0n));
  };
  tick();
  const settings = { sysfs: cards.sysfs, procfs: createFolder() };
  const subject = /hw\.energy .*0000:03/u;
  // By the clock of the receiver.
  const ignored = /hw\.gpu\.(?:time|throttle\.time)/u;
  return { factory, settings, tick, subject, ignored, reset };
}

test('amd_gpu counts on after the reset of an accumulator', async (t) => {
  const machine = openAccelerators();
  await checkFault(t, machine, createReset(machine.reset));
});

testHangingCards('amd_gpu cards', {
  receiver,
  driver: 'amdgpu',
  files: {
    device: '0x73bf',
    'hwmon/hwmon4/name': 'amdgpu',
    'hwmon/hwmon4/power1_average': 118_000_000,
    'hwmon/hwmon4/temp1_input': 51_000,
    'hwmon/hwmon4/temp1_label': 'edge',
  },
  watts: 118,
});
