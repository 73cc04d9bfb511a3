import { join } from 'node:path';
import { test } from 'node:test';
import { testFileFaults } from '../../src/scraping/file-faults.fixture.js';
import { checkFault, createReset } from '../../src/scraping/reader-faults.fixture.js';
import { writeFiles } from '../../src/scraping/source.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';

/** Two policies whose statistics count. */
function openMachine(subject: RegExp) {
  const sysfs = createFolder();
  const root = join(sysfs, 'devices/system/cpu/cpufreq');
  const seconds = [1000, 1000];
  const write = (cpu: number, second: number): void => {
    seconds[cpu] = second;
    writeFiles(join(root, `policy${cpu}`), {
      related_cpus: `${cpu}\n`,
      scaling_driver: 'cpufreq-dt\n',
      scaling_governor: 'schedutil\n',
      scaling_cur_freq: '1800000\n',
      'stats/time_in_state': `1800000 ${100 * second}\n2400000 ${10 * second}\n`,
      'stats/total_trans': `${7 * second}\n`,
    });
  };
  const tick = (): void => seconds.forEach((second, cpu) => write(cpu, second + 1));
  tick();
  return {
    factory,
    settings: { sysfs },
    tick,
    subject,
    reset: () => write(0, 1),
    // What is not here any more is no failure.
    changes: { vanishing: { problem: undefined } },
    pathOf: (file: string) => join(root, 'policy0', file),
  };
}

testFileFaults('cpufreq frequencies', () => {
  const machine = openMachine(/hw\.cpu\.speed cpu cpufreq-policy0/u);
  return { ...machine, path: machine.pathOf('scaling_cur_freq') };
});

testFileFaults('cpufreq times', () => {
  const machine = openMachine(/state\.time cpu cpufreq-policy0/u);
  return { ...machine, path: machine.pathOf('stats/time_in_state') };
});

testFileFaults('cpufreq transitions', () => {
  const machine = openMachine(/transitions cpu cpufreq-policy0/u);
  return { ...machine, path: machine.pathOf('stats/total_trans') };
});

test('cpufreq counts on after a reset of its statistics', async (t) => {
  const machine = openMachine(/(?:state\.time|transitions) cpu cpufreq-policy0/u);
  await checkFault(t, machine, createReset(machine.reset));
});
