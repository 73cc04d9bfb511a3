import { join } from 'node:path';
import { testFileFaults } from '../../src/scraping/file-faults.fixture.js';
import { writeFiles } from '../../src/scraping/source.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';

testFileFaults('resctrl counters', () => {
  const folder = createFolder();
  let bytes = 4_000_000;
  const tick = (): void => {
    bytes += 1_000_000;
    writeFiles(folder, {
      'resctrl/mon_data/mon_L3_00/mbm_total_bytes': `${2 * bytes}\n`,
      'resctrl/mon_groups/a/mon_data/mon_L3_00/mbm_total_bytes': `${bytes}\n`,
    });
  };
  writeFiles(folder, {
    'resctrl/info/L3_MON/num_rmids': '176\n',
    'resctrl/tasks': '13\n',
    'resctrl/mon_data/mon_L3_00/llc_occupancy': '4096\n',
    'resctrl/mon_groups/a/tasks': '10\n',
    'resctrl/mon_groups/a/mon_data/mon_L3_00/llc_occupancy': '2048\n',
  });
  tick();
  return {
    factory,
    settings: {
      resctrl: join(folder, 'resctrl'),
      sysfs: join(folder, 'sys'),
      procfs: join(folder, 'proc'),
    },
    tick,
    subject: /memory\.io \/mon_groups\/a/u,
    path: join(folder, 'resctrl/mon_groups/a/mon_data/mon_L3_00/mbm_total_bytes'),
    // What is not here any more is no failure.
    changes: { vanishing: { problem: undefined } },
  };
});
