import { join } from 'node:path';
import { test } from 'node:test';
import { testFileFaults } from '../../src/scraping/file-faults.fixture.js';
import { checkFault, createReset } from '../../src/scraping/reader-faults.fixture.js';
import { writeFiles } from '../../src/scraping/source.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';

/** Two CPUs with a state each that counts. */
function openMachine() {
  const sysfs = createFolder();
  const root = join(sysfs, 'devices/system/cpu');
  const seconds = [1000, 1000];
  writeFiles(root, { online: '0-1\n' });
  const write = (cpu: number, second: number): void => {
    seconds[cpu] = second;
    writeFiles(join(root, `cpu${cpu}/cpuidle/state1`), {
      name: 'C1\n',
      time: `${500_000 * second}\n`,
      usage: `${11 * second}\n`,
    });
  };
  const tick = (): void => seconds.forEach((second, cpu) => write(cpu, second + 1));
  tick();
  return {
    factory,
    settings: { sysfs, per_cpu: true },
    tick,
    subject: / C1 0$/u,
    reset: () => write(0, 1),
    // What is not here any more is no failure.
    changes: { vanishing: { problem: undefined } },
    path: join(root, 'cpu0/cpuidle/state1/time'),
  };
}

testFileFaults('cpuidle states', openMachine);

test('cpuidle counts on after a reset of its counters', async (t) => {
  const machine = openMachine();
  await checkFault(t, machine, createReset(machine.reset));
});
