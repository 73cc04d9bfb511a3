import { test } from 'node:test';
import { FakeCards } from '../../src/gpu/fake-cards.fixture.js';
import { testHangingCards } from '../../src/gpu/hanging-cards.fixture.js';
import { testFileFaults } from '../../src/scraping/file-faults.fixture.js';
import { checkFault, createReset } from '../../src/scraping/reader-faults.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory, receiver } from './factory.js';

/** Two cards of xe, each with a counter of energy and a temperature. */
function openMachine(file: string, subject: RegExp) {
  const cards = new FakeCards();
  const energies = [5, 7];
  energies.forEach((_, card) => {
    const address = `0000:0${card + 3}:00.0`;
    cards.add(card, { address, driver: 'xe' }, { device: '0xe20b', 'hwmon/hwmon3/name': 'xe' });
  });
  const write = (card: number, joules: number): void => {
    energies[card] = joules;
    cards.write(card, { 'hwmon/hwmon3/energy1_input': 1e6 * joules, 'hwmon/hwmon3/temp2_input': 44_000 });
  };
  const tick = (): void => energies.forEach((joules, card) => write(card, joules + 3));
  tick();
  const settings = { sysfs: cards.sysfs, procfs: createFolder() };
  const path = cards.pathOf(0, `hwmon/hwmon3/${file}`);
  // What is not here any more is no failure.
  const changes = { vanishing: { problem: undefined } };
  return { factory, settings, tick, subject, path, changes, reset: () => write(0, 1) };
}

testFileFaults('intel_gpu energy counters', () => openMachine('energy1_input', /hw\.energy .*0000:03/u));
testFileFaults('intel_gpu temperatures', () => openMachine('temp2_input', /hw\.temperature .*0000:03/u));

test('intel_gpu counts on after the reset of an energy counter', async (t) => {
  const machine = openMachine('energy1_input', /hw\.energy .*0000:03/u);
  await checkFault(t, machine, createReset(machine.reset));
});

testHangingCards('intel_gpu cards', {
  receiver,
  driver: 'xe',
  files: {
    device: '0xe20b',
    'hwmon/hwmon3/name': 'xe',
    'hwmon/hwmon3/energy1_input': 5_000_000,
    'hwmon/hwmon3/temp2_input': 44_000,
  },
});
