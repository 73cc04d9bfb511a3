import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { runAtOnce } from '../../src/linux/slices.js';
import type { Table } from '../../src/model/table.js';
import { memoryTrafficMember } from '../../src/model/usage-metrics.js';
import { Source } from '../../src/scraping/source.js';
import { endedOf, openScraperOf, valuesOf, writeFiles } from '../../src/scraping/source.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { describeRemedy, factory, listSources } from './factory.js';

type Count = number | string;

/** The counters of a group, `''` for the default one: total, local and occupancy of each cache. */
function describeGroup(group: string, ...caches: readonly (readonly [Count, Count, Count])[]) {
  return Object.assign(
    {},
    ...caches.map(([total, local, occupancy], id) => {
      const folder = `resctrl${group}/mon_data/mon_L3_0${id}`;
      return {
        [`${folder}/mbm_total_bytes`]: `${total}\n`,
        [`${folder}/mbm_local_bytes`]: `${local}\n`,
        [`${folder}/llc_occupancy`]: `${occupancy}\n`,
      };
    }),
  ) as Record<string, string>; // its entries are pairs of texts
}

/** What a group without tasks and CPUs has. */
function describeTasks(group: string, tasks = '', cpus = '\n'): Readonly<Record<string, string>> {
  return { [`resctrl${group}/tasks`]: tasks, [`resctrl${group}/cpus_list`]: cpus };
}

/** Two sockets, whose kernel numbers their packages 0 and 3. */
const topology = {
  'sys/devices/system/cpu/possible': '0-1\n',
  ...Object.assign(
    {},
    ...[0, 1].map((cpu) => ({
      [`sys/devices/system/cpu/cpu${cpu}/topology/physical_package_id`]: `${3 * cpu}\n`,
      [`sys/devices/system/cpu/cpu${cpu}/cache/index2/level`]: '2\n',
      [`sys/devices/system/cpu/cpu${cpu}/cache/index2/id`]: '7\n',
      [`sys/devices/system/cpu/cpu${cpu}/cache/index3/level`]: '3\n',
      [`sys/devices/system/cpu/cpu${cpu}/cache/index3/id`]: `${cpu}\n`,
    })),
  ),
};

/** A control group with a monitoring group, another monitoring group, and processes 10 to 13, of which 11 has a thread 111. */
const machine = {
  ...topology,
  'resctrl/info/L3_MON/num_rmids': '176\n',
  ...describeGroup('', [1000, 900, 4096], [500, 400, 8192]),
  ...describeTasks('', '13\n', '0-1\n'),
  ...describeGroup('/mon_groups/a', [100, 100, 64], [0, 0, 0]),
  ...describeTasks('/mon_groups/a', '10\n'),
  ...describeGroup('/batch', [70, 60, 128], [30, 10, 64]),
  ...describeTasks('/batch', '11\n111\n12\n'),
  ...describeGroup('/batch/mon_groups/b', [7, 6, 0], [3, 1, 0]),
  ...describeTasks('/batch/mon_groups/b', '12\n'),
  ...Object.fromEntries([10, 11, 12, 13].map((pid) => [`proc/${pid}/stat`, ''])),
};

function open(t: TestContext, files: Readonly<Record<string, string>> = machine, settings: object = {}) {
  const folder = createFolder();
  writeFiles(folder, files);
  const config = parseSettings(factory.schema, {
    resctrl: join(folder, 'resctrl'),
    sysfs: join(folder, 'sys'),
    procfs: join(folder, 'proc'),
    ...settings,
  });
  return { folder, config, scraper: openScraperOf(t, listSources(config, true)) };
}

const [total, local, usage] = [
  'linux.resctrl.memory.io',
  'linux.resctrl.memory.local.io',
  'linux.resctrl.llc.usage',
];

test('resctrl counts the traffic of each group and cache from the first reading on, with the package of the cache', (t) => {
  const { folder, scraper } = open(t);
  const first = valuesOf(scraper.scrape(0));
  assert.equal(first[`${total} / 0 0`], 0);
  assert.equal(first[`${usage} / 1 3`], 8192);
  writeFiles(folder, {
    ...describeGroup('', [1500, 1000, 4096], [600, 450, 8192]),
    ...describeGroup('/batch', [170, 60, 128], [30, 10, 64]),
  });
  const later = valuesOf(scraper.scrape(0));
  assert.deepEqual(
    [`${total} / 0 0`, `${local} / 0 0`, `${total} / 1 3`, `${local} / 1 3`].map((key) => later[key]),
    [500, 100, 100, 50],
  );
  assert.deepEqual([later[`${total} /batch 0 0`], later[`${total} /batch/mon_groups/b 0 0`]], [100, 0]);
});

test('resctrl reports which processes each group has, the monitoring group before its control group', (t) => {
  const { folder, scraper } = open(t);
  const membersOf = () =>
    Object.keys(valuesOf(scraper.scrape(0))).filter((key) => key.startsWith('linux.resctrl.member'));
  assert.deepEqual(membersOf(), [
    'linux.resctrl.member /mon_groups/a 10',
    'linux.resctrl.member /batch 11',
    'linux.resctrl.member /batch/mon_groups/b 12',
  ]);
  writeFiles(folder, { 'resctrl/mon_groups/a/tasks': '', 'resctrl/batch/cpus_list': '1\n' });
  const tables = [...scraper.scrape(0)];
  assert.deepEqual(endedOf(tables), ['linux.resctrl.member /mon_groups/a 10']);
  assert.equal(valuesOf(tables)['linux.resctrl.member /batch'], 1);
});

test('resctrl publishes the processes of groups only where a processor takes them', async (t) => {
  for (const isConsumed of [true, false]) {
    const { config } = open(t);
    const collector = createTableCollector();
    const context = createFakeContext({
      isConsumed: (metric) => metric === memoryTrafficMember && isConsumed,
    });
    const receiver = factory.create({ ...config, collection_interval: 5 }, context, collector);
    await receiver.start();
    const has = (name: string) =>
      collector.tables.some(({ series }) => series.some(({ metric }) => metric.name === name));
    await until(() => has(usage));
    await receiver.shutdown();
    assert.equal(has(memoryTrafficMember.name), isConsumed);
  }
});

test('resctrl ends a counter without a value, which restarts at 0, and reads the others', (t) => {
  const { folder, scraper } = open(t);
  valuesOf(scraper.scrape(0));
  for (const text of ['Unavailable', 'Unassigned']) {
    writeFiles(folder, describeGroup('/mon_groups/a', [text, 200, text], [5, 5, 5]));
    const tables = [...scraper.scrape(0)];
    assert.deepEqual(endedOf(tables), [`${total} /mon_groups/a 0 0`]);
    const values = valuesOf(tables);
    assert.equal(values[`${usage} /mon_groups/a 0 0`], NaN);
    assert.deepEqual([values[`${local} /mon_groups/a 0 0`], values[`${total} /mon_groups/a 1 3`]], [100, 5]);
    writeFiles(folder, describeGroup('/mon_groups/a', [9000, 200, 64], [5, 5, 5]));
    assert.equal(valuesOf(scraper.scrape(0))[`${total} /mon_groups/a 0 0`], 0);
  }
});

test('resctrl begins a counter again that fell, as that of a group that was made again', (t) => {
  const { folder, scraper } = open(t);
  valuesOf(scraper.scrape(0));
  writeFiles(folder, describeGroup('/mon_groups/a', [3, 200, 64], [0, 0, 0]));
  const tables = [...scraper.scrape(0)];
  assert.deepEqual(endedOf(tables), [`${total} /mon_groups/a 0 0`]);
  assert.equal(valuesOf(tables)[`${total} /mon_groups/a 0 0`], 0);
});

test('resctrl follows groups that come and go', (t) => {
  const { folder, scraper } = open(t);
  valuesOf(scraper.scrape(0));
  rmSync(join(folder, 'resctrl/batch'), { recursive: true });
  writeFiles(folder, {
    ...describeGroup('/mon_groups/new', [1, 1, 1], [1, 1, 1]),
    ...describeTasks('/mon_groups/new'),
  });
  const tables = [...scraper.scrape(0)];
  const ended = endedOf(tables).filter((name) => name.startsWith(`${total} `));
  assert.deepEqual(ended, [
    `${total} /batch 0 0`,
    `${total} /batch 1 3`,
    `${total} /batch/mon_groups/b 0 0`,
    `${total} /batch/mon_groups/b 1 3`,
  ]);
  assert.equal(valuesOf(tables)[`${total} /mon_groups/new 0 0`], 0);
});

function ofNewGroup(tables: Iterable<Table>): readonly string[] {
  return Object.keys(valuesOf(tables)).filter((key) => key.includes('/mon_groups/new '));
}

test('resctrl reads the same groups for all of a scan, and a new one from the next scan on', (t) => {
  const { folder, scraper } = open(t);
  const tables: Table[] = [];
  for (const table of scraper.scrape(0)) {
    if (tables.push(table) > 1) continue;
    assert.equal(table.series[0]?.metric, memoryTrafficMember);
    const group = '/mon_groups/new';
    writeFiles(folder, { ...describeGroup(group, [1, 1, 1], [1, 1, 1]), ...describeTasks(group, '13\n') });
  }
  assert.deepEqual(ofNewGroup(tables), []);
  assert.deepEqual(ofNewGroup(scraper.scrape(0)), [
    'linux.resctrl.member /mon_groups/new 13',
    ...[0, 1].flatMap((cache) =>
      [total, local].map((name) => `${name} /mon_groups/new ${cache} ${3 * cache}`),
    ),
    ...[0, 1].map((cache) => `${usage} /mon_groups/new ${cache} ${3 * cache}`),
  ]);
});

test('resctrl forgets the counters of a group that is gone', (t) => {
  const { folder, config } = open(t);
  const [traffic] = listSources(config, false);
  assert.ok(traffic);
  const source = new Source(createFakeContext(), traffic.describe);
  t.after(() => source.close());
  runAtOnce(source.read());
  const find = () =>
    ['', '/batch'].map((group) =>
      source.file(join(folder, `resctrl${group}/mon_data/mon_L3_00/mbm_total_bytes`)),
    );
  const [kept, gone] = find();
  rmSync(join(folder, 'resctrl/batch'), { recursive: true });
  runAtOnce(source.read());
  const later = find();
  assert.equal(later[0], kept);
  assert.notEqual(later[1], gone);
});

test('resctrl lists the groups again when it starts again', (t) => {
  const { folder, config } = open(t);
  const sources = listSources(config, true);
  valuesOf(openScraperOf(t, sources).scrape(0));
  rmSync(join(folder, 'resctrl'), { recursive: true });
  assert.throws(() => openScraperOf(t, sources), { name: 'UnavailableError' });
});

test('resctrl bounds the monitoring groups, but not the control groups', (t) => {
  const { scraper } = open(
    t,
    {
      ...machine,
      ...describeGroup('/mon_groups/z', [1, 1, 1], [1, 1, 1]),
      ...describeTasks('/mon_groups/z'),
    },
    {
      group_limit: 1,
    },
  );
  const groups = new Set(
    Object.keys(valuesOf(scraper.scrape(0))).flatMap((key) =>
      key.startsWith(usage) ? key.split(' ')[1] : [],
    ),
  );
  assert.deepEqual([...groups], ['/', '/mon_groups/a', '/batch', '/batch/mon_groups/b']);
});

test('resctrl reports files that it cannot parse, and reads the others', (t) => {
  const { folder, scraper } = open(t);
  valuesOf(scraper.scrape(0));
  for (const text of ['Error', '-5', '12 13', 'unavailable']) {
    writeFiles(folder, describeGroup('/batch', [text, 60, 128], [31, 10, 64]));
    const tables: Record<string, number>[] = [];
    const scrape = () => {
      for (const table of scraper.scrape(0)) tables.push(valuesOf([table]));
    };
    assert.throws(scrape, /batch\/mon_data\/mon_L3_00\/mbm_total_bytes: expected bytes, found "/u, text);
    assert.ok(tables.some((values) => values[`${total} /batch 1 3`] === 1));
  }
});

test('resctrl counts without the package of a cache that sysfs does not say', (t) => {
  const { scraper } = open(t, { ...describeGroup('', [1, 1, 1]), 'proc/1/stat': '' });
  assert.equal(valuesOf(scraper.scrape(0))[`${total} / 0`], 0);
});

test('resctrl lets others run after each file', (t) => {
  const { scraper } = open(t);
  const [groups, caches] = [4, 2];
  assert.equal(scraper.countSteps(), groups - 1 + 3 * groups * caches);
});

const remedyOn = (arch: string) => describeRemedy({ resctrl: '/r' }, arch);

test('resctrl says what memory traffic needs on this architecture', () => {
  assert.match(remedyOn('x64'), /^mount -t resctrl resctrl \/r; .*cqm_mbm_total/u);
  assert.match(remedyOn('arm64'), /^mount -t resctrl resctrl \/r; .*MPAM.*\(CONFIG_ARM64_MPAM\)$/u);
  assert.doesNotMatch(remedyOn('arm64'), /cqm|cpuinfo/u);
  assert.match(remedyOn('riscv64'), /the kernel has no resctrl on riscv64$/u);
});

test('resctrl is unavailable where it is not mounted, and reports how to mount it', async (t) => {
  const nowhere = parseSettings(factory.schema, { resctrl: join(createFolder(), 'resctrl') });
  const probe = await factory.probe(nowhere, createFakeContext());
  assert.equal(probe.available, false);
  assert.match(probe.remedies[0]?.command ?? '', /mount -t resctrl resctrl/u);
  const receiver = factory.create(nowhere, createFakeContext(), createTableCollector());
  await assert.rejects(async () => receiver.start(), { name: 'UnavailableError' });
  assert.deepEqual(await factory.probe(open(t).config, createFakeContext()), {
    available: true,
    found: 'procfs and sysfs: memory traffic, cache occupancy',
    remedies: [],
  });
});
