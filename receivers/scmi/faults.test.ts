import { join } from 'node:path';
import { test } from 'node:test';
import { createSlowFile, testFileFaults } from '../../src/scraping/file-faults.fixture.js';
import { checkFault } from '../../src/scraping/reader-faults.fixture.js';
import { writeFiles } from '../../src/scraping/source.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';

function createMachine() {
  const sysfs = createFolder();
  for (const [id, microwatts] of [
    ['arm-scmi:0', 20_000_000],
    ['arm-scmi:1', 12_000_000],
  ]) {
    writeFiles(join(sysfs, `class/powercap/${id}`), {
      name: `zone ${id}\n`,
      power_uw: `${microwatts}\n`,
      constraint_0_time_window_us: '1000000\n',
    });
  }
  const path = join(sysfs, 'class/powercap/arm-scmi:0/power_uw');
  return { factory, settings: { sysfs }, tick() {}, subject: /arm-scmi:0/u, path };
}

testFileFaults('scmi zones', createMachine);

test('scmi withstands firmware that does not answer for a zone, and reads the others', async (t) => {
  const machine = createMachine();
  const fault = createSlowFile(machine.path);
  t.after(fault.end);
  await checkFault(t, machine, fault);
});
