import { join } from 'node:path';
import { test } from 'node:test';
import { FakeCards } from '../../src/gpu/fake-cards.fixture.js';
import { testHangingCards } from '../../src/gpu/hanging-cards.fixture.js';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import { faultyFiles, listEvents, replaceFiles } from '../../src/linux/perf/replaced-events.fixture.js';
import { testFileFaults } from '../../src/scraping/file-faults.fixture.js';
import { checkFault, createReset } from '../../src/scraping/reader-faults.fixture.js';
import { writeFiles } from '../../src/scraping/source.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory, receiver } from './factory.js';
import { xePmu } from './xe-pmu.fixture.js';

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

/** A card with an engine, whose utilization is that of a software event in place of it. */
function openEngine(driver: 'i915' | 'xe') {
  const cards = new FakeCards();
  const files = { device: '0x46a6', 'hwmon/hwmon3/name': driver, 'hwmon/hwmon3/temp2_input': 44_000 };
  const engines = { 'tile0/gt0/engines/rcs/job_timeout_ms': 5000 };
  cards.add(0, { address: '0000:03:00.0', driver }, { ...files, ...engines });
  writeFiles(join(cards.sysfs, `bus/event_source/devices/${driver}_0000_03_00.0`), pmus[driver]);
  const settings = { sysfs: cards.sysfs, procfs: createFolder(), engines: 'all' };
  const subject = /^hw\.gpu\.utilization .*rcs0/u;
  return { factory, settings, tick: () => undefined, subject, ignored: /^hw\.gpu\.(?:time|utilization)/u };
}

const pmus = {
  // Faults of alignment, of which there are none.
  i915: { type: '1\n', cpumask: '0\n', 'events/rcs0-busy': 'config=0x7\n' },
  xe: {
    ...xePmu,
    // The time of a CPU.
    'events/engine-active-ticks': 'event=0x00\n',
    'events/engine-total-ticks': 'event=0x00\n',
  },
};

for (const [driver, fault, problem] of [
  ['i915', 'empty', /Cannot read rcs0-busy of the PMU of i915: expected 8 bytes, found 0$/u],
  ['i915', 'refused', /Cannot read rcs0-busy of the PMU of i915: EISDIR$/u],
  ['xe', 'truncated', /Cannot read utilization\.rcs0 of the PMU of xe: expected 40 bytes, found 8/u],
  ['xe', 'empty', /Cannot read utilization\.rcs0 of the PMU of xe: expected 40 bytes, found 0/u],
  ['xe', 'refused', /Cannot read utilization\.rcs0 of the PMU of xe: EISDIR$/u],
] as const) {
  const name = `intel_gpu has gaps where a counter of the PMU of ${driver} is ${fault}, and reads the rest`;
  test(name, { skip: perfRefused }, (t) => {
    const known = new Set(listEvents());
    let end: (() => void) | undefined;
    return checkFault(t, openEngine(driver), {
      begin() {
        const own = listEvents().filter((fd) => !known.has(fd));
        end = replaceFiles(own, faultyFiles[fault]);
      },
      end: () => end?.(),
      problem,
    });
  });
}

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
