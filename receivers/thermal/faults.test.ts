import { join } from 'node:path';
import { testFileFaults } from '../../src/scraping/reader-faults.fixture.js';
import { writeFiles } from '../../src/scraping/source.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';

testFileFaults('thermal zones', () => {
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
    // What is not here any more is no failure.
    changes: { vanishing: { problem: undefined } },
  };
});
