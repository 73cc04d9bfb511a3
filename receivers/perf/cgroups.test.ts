import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { enterCgroup } from '../../src/linux/cgroup/real-cgroups.fixture.js';
import { countOpen, expectNothingLeft } from '../../src/linux/open-resources.js';
import { openPerfEvent, perfType } from '../../src/linux/perf/event.js';
import type { Series } from '../../src/model/series.js';
import { createSampling } from '../../src/sampling/sampling-threads.js';
import { until } from '../../src/testing/until.js';
import { schema } from './config.js';
import { factory } from './factory.js';
import { countPerfEvents, makePerfCgroup } from './perf-cgroups.fixture.js';

function createReceiver(t: TestContext, settings: Readonly<Record<string, unknown>>) {
  const log = createLogCollector();
  const fake = createFakeContext({ id: 'perf', log });
  const sampling = createSampling({ log, meter: fake.meter });
  t.after(() => sampling.shutdown());
  const next = createTableCollector();
  const intervals = { scan_interval: '10ms', flush_interval: '20ms', sampling_interval: '10ms' };
  const config = parseSettings(schema, { machine: false, ...intervals, ...settings });
  const receiver = factory.create(config, { ...fake, sampling }, next);
  t.after(() => receiver.shutdown());
  return { receiver, next, log };
}

const pathOf = ({ resource }: Series) => String(resource.attributes['linux.cgroup.path']);

/** The last value of each series, and the number of times that it ended. */
function summarize(tables: ReturnType<typeof createTableCollector>['tables']) {
  const known = new Map<Series, { last: number; ends: number }>();
  for (const { series, values, ended = [] } of tables) {
    const at = values.length - series.length;
    if (at >= 0) series.forEach((each, i) => known.set(each, { last: values[at + i] ?? NaN, ends: 0 }));
    for (const each of ended)
      known.set(each, { last: NaN, ...known.get(each), ends: (known.get(each)?.ends ?? 0) + 1 });
  }
  return known;
}

test('factory counts cgroups from when they are made to when they are removed, with their last values', async (t) => {
  const cgroup = makePerfCgroup(t);
  if (cgroup === undefined) return;
  const id = 'b'.repeat(64);
  const { receiver, next, log } = createReceiver(t, {
    events: ['task-clock'],
    cgroups: [`${cgroup.path}/*.scope`],
  });

  await receiver.start();
  const folder = join(cgroup.folder, `docker-${id}.scope`);
  mkdirSync(folder);
  const isCounted = () =>
    next.tables.some(({ series }) => series.some((each) => pathOf(each).endsWith('.scope')));
  await until(isCounted);
  // It joins the cgroup before it starts to work, and prints the usage since then.
  const script = `
    process.stdin.once('data', () => {
      const before = process.cpuUsage();
      while (process.cpuUsage(before).user + process.cpuUsage(before).system < 300_000);
      process.exit();
    });
    process.stdout.write('ready');`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await new Promise((resolve) => void child.stdout.once('data', resolve));
  enterCgroup(folder, child.pid ?? 0);
  const exited = new Promise((resolve) => void child.once('exit', resolve));
  child.stdin.write('go');
  await exited;
  rmdirSync(folder);
  await until(() => next.tables.some(({ ended = [] }) => ended.length > 0));
  await receiver.shutdown();
  const [[series, { last, ends }] = assert.fail(), ...others] = summarize(next.tables);
  assert.deepEqual(others, []);
  assert.deepEqual(series.resource.attributes, {
    'linux.cgroup.path': join(cgroup.path, `docker-${id}.scope`),
    'container.id': id,
    'container.runtime.name': 'docker',
    'systemd.unit': `docker-${id}.scope`,
  });
  assert.ok(last >= 0.3 && last < 0.6, `${last} s`);
  assert.equal(ends, 1);
  assert.deepEqual(
    log.lines.map((line) => line.replace(/ in .*/u, '')),
    [`warn: Cannot count a cgroup "${cgroup.path}/*.scope"`, `info: Found a cgroup "${cgroup.path}/*.scope"`],
  );
});

test('factory leaks nothing of 200 short-lived cgroups, and loses no row of one that stays', async (t) => {
  const cgroup = makePerfCgroup(t);
  if (cgroup === undefined) return;
  const stays = join(cgroup.folder, 'stays');
  mkdirSync(stays);
  const before = countOpen();
  const { receiver, next, log } = createReceiver(t, {
    events: ['task-clock'],
    cgroups: [`${cgroup.path}/*`],
  });
  await receiver.start();
  for (let round = 0; round < 10; round++) {
    const folders = Array.from({ length: 20 }, (_, i) => join(cgroup.folder, `c${round}-${i}`));
    for (const folder of folders) mkdirSync(folder);
    await until(() => next.tables.at(-1)?.series.length === 21);
    for (const folder of folders) rmdirSync(folder);
    await until(() => next.tables.at(-1)?.series.length === 1);
  }
  const cpus = countPerfEvents();
  await receiver.shutdown();
  const known = [...summarize(next.tables)];
  assert.equal(known.length, 201);
  const ends = known.map(([series, each]) => (pathOf(series).endsWith('/stays') ? -1 : each.ends));
  assert.deepEqual(new Set(ends), new Set([-1, 1]));
  const rows = next.tables.filter(({ offsets }) => offsets.length > 0);
  assert.ok(rows.every(({ series }) => series.some((each) => pathOf(each).endsWith('/stays'))));
  assert.deepEqual([countPerfEvents(), log.lines], [0, []]);
  assert.ok(cpus > 0);
  await expectNothingLeft(before);
});

test('openPerfEvent names both reasons why a cgroup has no such event', (t) => {
  const cgroup = makePerfCgroup(t);
  if (cgroup === undefined) return;
  const pid = openSync(cgroup.folder, 'r');
  t.after(() => closeSync(pid));
  const event = { name: 'nonsense', type: perfType.software, config: 9999, pid, isCgroup: true, cpu: 0 };
  assert.throws(() => openPerfEvent(event), {
    code: 'ENOENT',
    message:
      'Cannot open perf event "nonsense" on cpu 0: ENOENT, this kernel or machine does not count it, ' +
      'or no controller has been enabled in cgroup.subtree_control since the boot',
  });
});
