import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { runAtOnce } from '../../src/linux/slices.js';
import { Source } from '../../src/scraping/source.js';
import { endedOf, openScraperOf, valuesOf, writeFiles } from '../../src/scraping/source.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory, listSources } from './factory.js';

const root = 'devices/system/cpu';

/** The counts of a state, microseconds and entries. */
function describeState(
  cpu: number,
  state: number,
  [time, usage]: readonly [number | string, number | string],
) {
  const folder = `${root}/cpu${cpu}/cpuidle/state${state}`;
  return {
    [`${folder}/name`]: `${['POLL', 'C1', 'C6'][state]}\n`,
    [`${folder}/time`]: `${time}\n`,
    [`${folder}/usage`]: `${usage}\n`,
  };
}

function open(t: TestContext, settings: object = {}) {
  const sysfs = createFolder();
  writeFiles(sysfs, {
    [`${root}/online`]: '0-1\n',
    ...describeState(0, 0, [100, 5]),
    ...describeState(0, 1, [7_000_000, 50]),
    ...describeState(1, 0, [300, 6]),
    ...describeState(1, 1, [9_000_000, 70]),
  });
  const config = parseSettings(factory.schema, { sysfs, ...settings });
  return { sysfs, scraper: openScraperOf(t, listSources(config)) };
}

const [time, entries] = ['system.linux.cpuidle.time', 'system.linux.cpuidle.entries'];

test('cpuidle sums the states of all CPUs, from the first reading on', (t) => {
  const { sysfs, scraper } = open(t);
  assert.deepEqual(valuesOf(scraper.scrape(0)), {
    [`${time} POLL`]: 0,
    [`${entries} POLL`]: 0,
    [`${time} C1`]: 0,
    [`${entries} C1`]: 0,
  });
  writeFiles(sysfs, { ...describeState(0, 1, [7_500_000, 60]), ...describeState(1, 1, [10_000_000, 71]) });
  const later = valuesOf(scraper.scrape(0));
  assert.deepEqual([later[`${time} C1`], later[`${entries} C1`], later[`${time} POLL`]], [1.5, 11, 0]);
});

test('cpuidle lets others run after each state', (t) => {
  const { scraper } = open(t);
  assert.equal(scraper.countSteps(), 4);
});

test('cpuidle gives each CPU, when per_cpu is set', (t) => {
  const { sysfs, scraper } = open(t, { per_cpu: true });
  valuesOf(scraper.scrape(0));
  writeFiles(sysfs, describeState(1, 1, [10_000_000, 71]));
  const later = valuesOf(scraper.scrape(0));
  assert.deepEqual([later[`${time} C1 0`], later[`${time} C1 1`], later[`${entries} C1 1`]], [0, 1, 1]);
});

test('cpuidle sums never fall when a CPU goes offline, comes back or counts from 0 again', (t) => {
  const { sysfs, scraper } = open(t);
  const read = () => valuesOf(scraper.scrape(0))[`${time} C1`];
  read();
  writeFiles(sysfs, describeState(1, 1, [10_000_000, 71]));
  assert.equal(read(), 1);
  rmSync(join(sysfs, root, 'cpu1'), { recursive: true });
  writeFiles(sysfs, { [`${root}/online`]: '0\n', ...describeState(0, 1, [7_250_000, 51]) });
  assert.equal(read(), 1.25);
  writeFiles(sysfs, { [`${root}/online`]: '0-1\n', ...describeState(1, 1, [500, 1]) });
  assert.equal(read(), 1.25);
  writeFiles(sysfs, describeState(1, 1, [250_500, 2]));
  assert.equal(read(), 1.5);
  writeFiles(sysfs, describeState(1, 1, [100, 1]));
  assert.equal(read(), 1.5);
  writeFiles(sysfs, describeState(1, 1, [500_100, 2]));
  assert.equal(read(), 2);
});

test('cpuidle makes up for a state that could not be read, and reports it', (t) => {
  const { sysfs, scraper } = open(t);
  valuesOf(scraper.scrape(0));
  for (const text of ['', 'x\n', '12', '9 000\n']) {
    writeFiles(sysfs, { [`${root}/cpu1/cpuidle/state1/time`]: text });
    assert.throws(() => [...scraper.scrape(0)], /cpu1\/cpuidle\/state1\/time: expected/u, text);
  }
  writeFiles(sysfs, describeState(1, 1, [11_000_000, 75]));
  const later = valuesOf(scraper.scrape(0));
  assert.deepEqual([later[`${time} C1`], later[`${entries} C1`]], [2, 5]);
});

test('cpuidle ends the series of a CPU that cannot be read, when CPUs are apart', (t) => {
  const { sysfs, scraper } = open(t, { per_cpu: true });
  valuesOf(scraper.scrape(0));
  rmSync(join(sysfs, root, 'cpu1/cpuidle/state1'), { recursive: true });
  writeFiles(sysfs, { [`${root}/online`]: '0\n' });
  assert.deepEqual(endedOf([...scraper.scrape(0)]), [`${time} C1 1`, `${entries} C1 1`]);
});

test('cpuidle forgets the files of a CPU that is gone', (t) => {
  const { sysfs } = open(t);
  const [states] = listSources(parseSettings(factory.schema, { sysfs }));
  const source = new Source(createFakeContext(), states.describe);
  t.after(() => source.close());
  runAtOnce(source.read());
  const find = () => [0, 1].map((cpu) => source.file(join(sysfs, root, `cpu${cpu}/cpuidle/state1/time`)));
  const [kept, gone] = find();
  rmSync(join(sysfs, root, 'cpu1'), { recursive: true });
  writeFiles(sysfs, { [`${root}/online`]: '0\n' });
  runAtOnce(source.read());
  const later = find();
  assert.equal(later[0], kept);
  assert.notEqual(later[1], gone);
});

test('cpuidle is unavailable, when no CPU has idle states', async () => {
  const sysfs = createFolder();
  writeFiles(sysfs, { [`${root}/online`]: '0\n' });
  const receiver = factory.create(
    parseSettings(factory.schema, { sysfs }),
    createFakeContext(),
    createTableCollector(),
  );
  await assert.rejects(async () => receiver.start(), { name: 'UnavailableError' });
});

test('cpuidle counts the idle time of this machine', async (t) => {
  if (!existsSync('/sys/devices/system/cpu/cpu0/cpuidle/state0'))
    return t.skip('this machine has no idle states');
  const scraper = openScraperOf(t, listSources(parseSettings(factory.schema, {})));
  valuesOf(scraper.scrape(0));
  await until(() => Object.values(valuesOf(scraper.scrape(0))).some((value) => value > 0));
});
