import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { runAtOnce } from '../../src/linux/slices.js';
import { Source } from '../../src/scraping/source.js';
import { endedOf, valuesOf } from '../../src/scraping/source.fixture.js';
import { schema } from './config.js';
import { describeFrequency } from './frequency-group.js';
import { copyMachine, openScraper } from './host-machine.fixture.js';

test('FrequencyGroup follows the online CPUs with cpufreq', (t) => {
  const folder = copyMachine('server');
  const scraper = openScraper(t, folder, ['frequency']);
  assert.deepEqual(valuesOf(scraper.scrape(0)), {
    'system.cpu.frequency 0': 1.2e9,
    'system.cpu.frequency 1': 1.3e9,
    'system.cpu.frequency 2': 1.4e9,
    'system.cpu.frequency 3': 1.5e9,
  });
  const cpus = join(folder, 'sys/devices/system/cpu');
  writeFileSync(join(cpus, 'cpu1/cpufreq/scaling_cur_freq'), '<unknown>\n');
  rmSync(join(cpus, 'cpu3/cpufreq'), { recursive: true });
  writeFileSync(join(cpus, 'online'), '0-2\n');
  const later = [...scraper.scrape(0)];
  assert.deepEqual(valuesOf(later), {
    'system.cpu.frequency 0': 1.2e9,
    'system.cpu.frequency 1': NaN,
    'system.cpu.frequency 2': 1.4e9,
  });
  assert.deepEqual(endedOf(later), ['system.cpu.frequency 3']);
});

test('FrequencyGroup closes the files of a removed CPU', (t) => {
  const folder = copyMachine('server');
  const config = parseSettings(schema, {
    procfs: join(folder, 'proc'),
    sysfs: join(folder, 'sys'),
  });
  const source = new Source(createFakeContext(), describeFrequency(config));
  t.after(() => source.close());
  runAtOnce(source.read());
  const cpus = join(folder, 'sys/devices/system/cpu');
  const find = () => [2, 3].map((cpu) => source.file(join(cpus, `cpu${cpu}/cpufreq/scaling_cur_freq`)));
  const [kept, gone] = find();
  rmSync(join(cpus, 'cpu3/cpufreq'), { recursive: true });
  writeFileSync(join(cpus, 'online'), '0-2\n');
  runAtOnce(source.read());
  const later = find();
  assert.equal(later[0], kept);
  assert.notEqual(later[1], gone);
});

test('FrequencyGroup reads cpuinfo without cpufreq', (t) => {
  assert.deepEqual(valuesOf(openScraper(t, copyMachine('old'), ['frequency']).scrape(0)), {
    'system.cpu.frequency 0': 2_100_123_000,
    'system.cpu.frequency 1': 800_500_000,
  });
});

test('FrequencyGroup reports frequencies when the list of online CPUs cannot be read', (t) => {
  for (const machine of ['server', 'old']) {
    const folder = copyMachine(machine);
    rmSync(join(folder, 'sys/devices/system/cpu/online'));
    const values = valuesOf(openScraper(t, folder, ['frequency']).scrape(0));
    assert.ok((values['system.cpu.frequency 1'] ?? 0) > 1e8, machine);
  }
});
