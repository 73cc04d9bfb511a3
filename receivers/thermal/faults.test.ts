import { join } from 'node:path';
import { test } from 'node:test';
import { createSlowFile, testFileFaults } from '../../src/scraping/file-faults.fixture.js';
import { checkFault } from '../../src/scraping/reader-faults.fixture.js';
import { SlowFiles } from '../../src/scraping/slow-files.js';
import { writeFiles } from '../../src/scraping/source.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { createReceiver, factory } from './factory.js';

function createMachine() {
  const sysfs = createFolder();
  writeFiles(sysfs, {
    'class/thermal/thermal_zone0/type': 'cpu-thermal\n',
    'class/thermal/thermal_zone0/temp': '42376\n',
    'class/thermal/thermal_zone1/type': 'x86_pkg_temp\n',
    'class/thermal/thermal_zone1/temp': '51000\n',
    'class/thermal/cooling_device0/type': 'Processor\n',
    'class/thermal/cooling_device0/cur_state': '0\n',
    'class/thermal/cooling_device0/max_state': '3\n',
  });
  return {
    factory,
    settings: { sysfs },
    tick() {},
    subject: /thermal_zone0/u,
    path: join(sysfs, 'class/thermal/thermal_zone0/temp'),
    // A missing zone is not an error.
    changes: { vanishing: { problem: undefined } },
  };
}

testFileFaults('thermal zones', createMachine);

test('thermal withstands a zone that does not answer, and reads the others', async (t) => {
  // Every file counts as slow.
  const slow = new SlowFiles({ slowMs: -1 });
  const slowFactory: typeof factory = {
    ...factory,
    create: (config, context, next) => createReceiver(config, context, next, slow),
  };
  const machine = createMachine();
  const fault = createSlowFile(machine.path);
  t.after(fault.end);
  await checkFault(t, { ...machine, factory: slowFactory }, fault);
});
