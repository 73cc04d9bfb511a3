import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeProcfs } from '../../src/identity/fake-procfs.fixture.js';
import { testFileFaults } from '../../src/scraping/file-faults.fixture.js';
import { checkFault, createReset } from '../../src/scraping/reader-faults.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';

/** Two processes, each with half a CPU. */
function openMachine(subject: RegExp) {
  const procfs = createFakeProcfs();
  let seconds = 1000;
  const write = (second: number): void => {
    seconds = second;
    procfs.writeStat(100 * second, 10);
    for (const pid of [7, 8]) {
      procfs.write(pid, { comm: `p${pid}`, userTicks: 30 * second, systemTicks: 20 * second });
      procfs.writeFile(pid, 'io', `rchar: 0\nread_bytes: 4096\nwrite_bytes: 512\n`);
    }
  };
  const tick = (): void => write(seconds + 1);
  tick();
  const settings = {
    procfs: procfs.path,
    sysfs: createFolder(),
    passwd: '/nowhere',
    cpu_time: 'procfs',
    metrics: { count: false, io: true },
  };
  return { factory, settings, tick, subject, procfs, reset: () => write(1) };
}

// Descriptors stay open until the kernel reports that the process has ended: ESRCH, which files of a test
// cannot return.
const contents = ['truncated', 'empty', 'garbage'] as const;
const problem = /its text is not what was expected/u;
testFileFaults(
  'process states',
  () => {
    const machine = openMachine(/^process\..* 7 /u);
    const changes = { truncated: { problem }, empty: { problem }, garbage: { problem } };
    return { ...machine, changes, path: join(machine.procfs.path, '7/stat') };
  },
  contents,
);

test('process ends the series of a process that ends, and goes on with the others', async (t) => {
  const machine = openMachine(/^process\..* 7 /u);
  await checkFault(t, machine, { begin: () => machine.procfs.remove(7), end() {} });
});

test('process counts on after a reset of all times', async (t) => {
  const machine = openMachine(/^process\.cpu/u);
  await checkFault(t, machine, createReset(machine.reset));
});
