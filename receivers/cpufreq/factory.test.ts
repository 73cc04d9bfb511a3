import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { endedOf, openScraperOf, valuesOf, writeFiles } from '../../src/scraping/source.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';
import { listSources } from './sources.js';

const root = 'devices/system/cpu';

function describePolicy(cpu: number, files: Readonly<Record<string, string | number>>) {
  const all = { related_cpus: cpu, scaling_governor: 'powersave', scaling_driver: 'intel_pstate', ...files };
  const entries = Object.entries(all).map(([name, value]) => [
    `${root}/cpufreq/policy${cpu}/${name}`,
    `${value}\n`,
  ]);
  return Object.fromEntries(entries) as Record<string, string>; // its entries are pairs of texts
}

function frequencies(cur: number | string, min: number, max: number) {
  return { scaling_cur_freq: cur, scaling_min_freq: min, scaling_max_freq: max };
}

/** The CPUs of node_exporter's fixtures. */
const nodeExporter = {
  ...describePolicy(0, frequencies(1_699_981, 800_000, 3_700_000)),
  ...describePolicy(1, frequencies(1_699_981, 800_000, 3_700_000)),
  ...describePolicy(2, frequencies(8000, 1000, 4_200_000)),
  ...describePolicy(3, frequencies(8000, 1000, 4_200_000)),
};
/** Two clusters of an Arm board. */
const board = {
  ...describePolicy(0, {
    ...frequencies(600_000, 600_000, 1_800_000),
    related_cpus: '0 1 2 3',
    cpuinfo_min_freq: 600_000,
    cpuinfo_max_freq: 1_800_000,
    scaling_driver: 'cpufreq-dt',
    scaling_governor: 'schedutil',
    'stats/time_in_state': '600000 1000\n1800000 50',
    'stats/total_trans': 12,
  }),
  ...describePolicy(4, {
    ...frequencies('<unknown>', 600_000, 2_400_000),
    related_cpus: '4 5',
    scaling_driver: 'cpufreq-dt',
    scaling_governor: 'schedutil',
    'stats/time_in_state': '600000 2000\n2400000 7',
    'stats/total_trans': 3,
  }),
  [`${root}/cpufreq/boost`]: '1\n',
};

function open(t: TestContext, files: Readonly<Record<string, string>>, settings: object = {}) {
  const sysfs = createFolder();
  writeFiles(sysfs, files);
  const config = parseSettings(factory.schema, { sysfs, ...settings });
  return { sysfs, config, scraper: openScraperOf(t, listSources(config)) };
}

test('cpufreq gives the frequencies and governors that node_exporter gives', (t) => {
  const { scraper } = open(
    t,
    { ...nodeExporter, [`${root}/intel_pstate/no_turbo`]: '1\n' },
    { time_in_state: false },
  );
  const values = valuesOf(scraper.scrape(0));
  for (const [cpu, current, min, max] of [
    [0, 1.699981e9, 8e8, 3.7e9],
    [1, 1.699981e9, 8e8, 3.7e9],
    [2, 8e6, 1e6, 4.2e9],
    [3, 8e6, 1e6, 4.2e9],
  ]) {
    const policy = `cpu cpufreq-policy${cpu} CPU ${cpu}`;
    assert.equal(values[`hw.cpu.speed ${policy}`], current);
    assert.equal(values[`hw.cpu.speed.limit ${policy} policy.min`], min);
    assert.equal(values[`hw.cpu.speed.limit ${policy} policy.max`], max);
  }
  assert.equal(values['system.linux.cpufreq.policy.count intel_pstate powersave'], 4);
  assert.equal(values['system.linux.cpufreq.boost'], 0);
});

test('cpufreq lets others run after each file of a policy', (t) => {
  const { scraper } = open(t, nodeExporter);
  const files = { frequency: 3 * 4, governor: 4 };
  assert.equal(scraper.countSteps(), files.frequency + files.governor);
});

test('cpufreq gives the limits of the hardware, and no frequency where the driver does not know it', (t) => {
  const values = valuesOf(open(t, board).scraper.scrape(0));
  const [little, big] = ['cpu cpufreq-policy0 CPU 0, 1, 2, 3', 'cpu cpufreq-policy4 CPU 4, 5'];
  assert.equal(values[`hw.cpu.speed ${little}`], 6e8);
  assert.equal(values[`hw.cpu.speed ${big}`], NaN);
  assert.equal(values[`hw.cpu.speed.limit ${little} min`], 6e8);
  assert.equal(values[`hw.cpu.speed.limit ${little} max`], 1.8e9);
  assert.equal(values['system.linux.cpufreq.boost'], 1);
  assert.equal(values['system.linux.cpufreq.policy.count cpufreq-dt schedutil'], 2);
});

test('cpufreq counts time at each frequency and changes from the first reading on, and again after a reset', (t) => {
  const { sysfs, scraper } = open(t, board);
  const little = 'cpu cpufreq-policy0 CPU 0, 1, 2, 3';
  const [low, high] = [
    `system.linux.cpufreq.state.time ${little} 600000000`,
    `system.linux.cpufreq.state.time ${little} 1800000000`,
  ];
  assert.equal(valuesOf(scraper.scrape(0))[low], 0);
  writeFiles(sysfs, {
    [`${root}/cpufreq/policy0/stats/time_in_state`]: '600000 1100\n1800000 75\n',
    [`${root}/cpufreq/policy0/stats/total_trans`]: '20\n',
  });
  const later = valuesOf(scraper.scrape(0));
  assert.deepEqual([later[low], later[high]], [1, 0.25]);
  assert.equal(later[`system.linux.cpufreq.transitions ${little}`], 8);
  writeFiles(sysfs, { [`${root}/cpufreq/policy0/stats/time_in_state`]: '600000 3\n1800000 80\n' });
  const reset = [...scraper.scrape(0)];
  assert.deepEqual(endedOf(reset), [low]);
  assert.deepEqual([valuesOf(reset)[low], valuesOf(reset)[high]], [0, 0.3]);
});

test('cpufreq ends the series of a policy that goes with its CPUs, and follows a change of the governor', (t) => {
  const { sysfs, scraper } = open(t, board);
  valuesOf(scraper.scrape(0));
  rmSync(join(sysfs, root, 'cpufreq/policy4'), { recursive: true });
  writeFiles(sysfs, { [`${root}/cpufreq/policy0/scaling_governor`]: 'performance\n' });
  const tables = [...scraper.scrape(0)];
  const values = valuesOf(tables);
  assert.equal(values['system.linux.cpufreq.policy.count cpufreq-dt performance'], 1);
  assert.deepEqual(
    endedOf(tables).filter((name) => name.startsWith('system')),
    [
      'system.linux.cpufreq.policy.count cpufreq-dt schedutil',
      'system.linux.cpufreq.state.time cpu cpufreq-policy4 CPU 4, 5 600000000',
      'system.linux.cpufreq.state.time cpu cpufreq-policy4 CPU 4, 5 2400000000',
      'system.linux.cpufreq.transitions cpu cpufreq-policy4 CPU 4, 5',
    ],
  );
  assert.ok(endedOf(tables).includes('hw.cpu.speed cpu cpufreq-policy4 CPU 4, 5'));
});

test('cpufreq bounds the policies that have series of their own, by number, and counts all', (t) => {
  const ten = Object.assign({}, ...[10, 9, 2].map((cpu) => describePolicy(cpu, frequencies(1e6, 1e6, 1e6))));
  const values = valuesOf(open(t, ten, { policy_limit: 2, limits: false }).scraper.scrape(0));
  assert.deepEqual(Object.keys(values), [
    'hw.cpu.speed cpu cpufreq-policy2 CPU 2',
    'hw.cpu.speed cpu cpufreq-policy9 CPU 9',
    'system.linux.cpufreq.policy.count intel_pstate powersave',
  ]);
  assert.equal(values['system.linux.cpufreq.policy.count intel_pstate powersave'], 3);
});

test('cpufreq reports files that it cannot parse, and reads the others', (t) => {
  const { sysfs, scraper } = open(t, board);
  for (const text of ['600000\n', '600000 x\n', 'From : To\n', '-1 5\n']) {
    writeFiles(sysfs, { [`${root}/cpufreq/policy0/stats/time_in_state`]: text });
    const tables: ReturnType<typeof valuesOf>[] = [];
    const scrape = () => {
      for (const table of scraper.scrape(0)) tables.push(valuesOf([table]));
    };
    assert.throws(scrape, /policy0\/stats\/time_in_state: expected whole numbers, found/u, text);
    assert.ok(
      tables.some((values) => 'system.linux.cpufreq.transitions cpu cpufreq-policy4 CPU 4, 5' in values),
    );
  }
});

test('cpufreq is unavailable without policies, and names what is absent otherwise', async (t) => {
  const nowhere = parseSettings(factory.schema, { sysfs: createFolder() });
  assert.equal((await factory.probe(nowhere, createFakeContext())).available, false);
  const probe = await factory.probe(open(t, nodeExporter).config, createFakeContext());
  assert.deepEqual(probe, {
    available: true,
    found: 'procfs and sysfs: frequencies, governors; not present on this machine: boost, time in state',
    remedies: [],
  });
});
