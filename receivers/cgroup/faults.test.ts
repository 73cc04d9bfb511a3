import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { testFileFaults } from '../../src/scraping/file-faults.fixture.js';
import { checkFault, createReset } from '../../src/scraping/reader-faults.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';
import { container, unified, write } from './fake-cgroups.fixture.js';

const scope = `system.slice/docker-${container}.scope`;

/** A service, and a container in it that uses half a CPU. */
function openMachine(file: string, subject: RegExp) {
  const root = createFolder();
  write(root, unified);
  let seconds = 1000;
  const writeTimes = (second: number): void => {
    seconds = second;
    write(root, {
      [`${scope}/cpu.stat`]: `usage_usec ${500_000 * second}\nuser_usec ${300_000 * second}\nsystem_usec ${200_000 * second}\n`,
    });
  };
  const tick = (): void => writeTimes(seconds + 1);
  tick();
  return {
    factory,
    settings: {
      cgroupfs: root,
      sysfs: createFolder(),
      details_interval: '10ms',
      metrics: { pressure: true },
    },
    tick,
    subject,
    folder: join(root, scope),
    path: join(root, scope, file),
    makeAgain() {
      write(root, unified);
      writeTimes(1);
    },
    reset: () => writeTimes(1),
  };
}

const own = (metric: string): RegExp => new RegExp(`^${metric}.*docker-`, 'u');

// Descriptors stay open until the kernel reports that the cgroup was removed: ENODEV, which files of a test
// cannot return.
const contents = ['truncated', 'empty', 'garbage'] as const;
const problem = /its text is not what was expected/u;
const changes = { truncated: { problem }, empty: { problem }, garbage: { problem } };
for (const [what, file, metric] of [
  ['CPU times', 'cpu.stat', String.raw`.*\.cpu\.`],
  ['pids', 'pids.current', 'linux.cgroup.pids.usage'],
  ['pressure', 'cpu.pressure', 'linux.cgroup.pressure'],
] as const)
  testFileFaults(`cgroup ${what}`, () => ({ ...openMachine(file, own(metric)), changes }), contents);

test('cgroup counts on after a reset of the CPU times of a cgroup', async (t) => {
  const machine = openMachine('cpu.stat', own(String.raw`.*\.cpu\.time`));
  await checkFault(t, machine, createReset(machine.reset));
});

test('cgroup ends the series of a cgroup that is removed, and goes on with the others', async (t) => {
  const machine = openMachine('cpu.stat', own('.*'));
  // CPU time of a cgroup that was created since the last scan is counted for it.
  const metrics = { memory: false, io: false, pids: false };
  const settings = { ...machine.settings, metrics };
  await checkFault(
    t,
    { ...machine, settings },
    {
      begin: () => rmSync(machine.folder, { recursive: true }),
      end: machine.makeAgain,
    },
  );
});
