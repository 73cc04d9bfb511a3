import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { testFileFaults } from '../../src/scraping/file-faults.fixture.js';
import { checkFault, createReset } from '../../src/scraping/reader-faults.fixture.js';
import { writeFiles } from '../../src/scraping/source.fixture.js';
import { factory } from './factory.js';
import { copyMachine } from './host-machine.fixture.js';

/** A machine whose files do not change, so that every rise is an error. */
function openMachine(file: string, subject: RegExp, changes: object = {}) {
  const folder = copyMachine('server');
  for (const cpu of [0, 1]) {
    writeFiles(join(folder, `sys/devices/system/cpu/cpu${cpu}/cpufreq`), { scaling_cur_freq: '1800000\n' });
  }
  const settings = { procfs: join(folder, 'proc'), sysfs: join(folder, 'sys') };
  return { factory, settings, tick() {}, subject, changes, path: join(folder, file) };
}

// Values before the end of the text are valid.
const truncated = { isRead: true };
// A file that this kernel does not have is no failure.
const vanishing = { problem: undefined };

for (const [what, file, subject, changes] of [
  ['CPU times', 'proc/stat', /^system\.(?:cpu\.(?!load|freq)|process|context|interrupt|linux\.thread)/u, {}],
  ['memory', 'proc/meminfo', /^system\.(?:linux\.)?memory|paging\.usage/u, { truncated, vanishing }],
  ['network', 'proc/net/dev', /^system\.network/u, {}],
  ['disks', 'proc/diskstats', /^system\.disk/u, {}],
  ['load', 'proc/loadavg', /load_average/u, { vanishing }],
  ['pressure', 'proc/pressure/memory', /pressure.* memory/u, { truncated, vanishing }],
] as const)
  testFileFaults(`host ${what}`, () => openMachine(file, subject, changes));

testFileFaults('host frequencies', () =>
  openMachine('sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq', /cpu\.frequency 1/u, {
    vanishing,
  }),
);

/** The counters of an interface, of a disk and of a CPU, and lines of their files after a reset. */
const resets = [
  ['CPU times', 'proc/stat', /^system\.cpu\.time/u, [/^cpu(\d* ) *.*$/gmu, 'cpu$1 1 1 1 1 1 1 1 1 0 0']],
  [
    'network counters',
    'proc/net/dev',
    /^system\.network\..* eth0/u,
    [/^( *eth0:).*$/gmu, `$1${' 1'.repeat(16)}`],
  ],
  ['disk counters', 'proc/diskstats', /^system\.disk\..* sda/u, [/^(.* sda) .*$/gmu, `$1${' 1'.repeat(11)}`]],
] as const;

for (const [what, file, subject, [line, reset]] of resets)
  test(`host counts on after a reset of ${what}`, async (t) => {
    const machine = openMachine(file, subject);
    const write = () =>
      writeFileSync(machine.path, readFileSync(machine.path, 'latin1').replace(line, reset));
    await checkFault(t, machine, createReset(write));
  });
