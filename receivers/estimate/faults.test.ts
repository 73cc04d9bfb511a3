import { join } from 'node:path';
import { test } from 'node:test';
import { testFileFaults } from '../../src/scraping/file-faults.fixture.js';
import { checkFault, createReset } from '../../src/scraping/reader-faults.fixture.js';
import { writeFiles } from '../../src/scraping/source.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';

/** A machine of two CPUs that are half busy. */
function openMachine() {
  const procfs = createFolder();
  let seconds = 1000;
  const write = (second: number): void => {
    seconds = second;
    const times = `${50 * second} 0 0 ${50 * second} 0 0 0 0 0 0`;
    writeFiles(procfs, { stat: `cpu  ${times}\ncpu0 ${times}\ncpu1 ${times}\nintr 0\nbtime 1700000000\n` });
  };
  const tick = (): void => write(seconds + 1);
  tick();
  const settings = { procfs, idle_power: 20, max_power: 60 };
  const path = join(procfs, 'stat');
  return { factory, settings, tick, subject: /host/u, isAll: true, path, reset: () => write(1) };
}

testFileFaults('estimate', openMachine);

test('estimate counts on after a reset of the CPU times', async (t) => {
  const machine = openMachine();
  await checkFault(t, machine, createReset(machine.reset));
});
