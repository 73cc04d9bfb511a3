import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Table } from '../../src/model/table.js';
import { endedOf, valuesOf } from '../../src/scraping/source.fixture.js';
import {
  copyMachine,
  dropLine,
  openScraper,
  readDamaged,
  readSteps,
  scrapeTwice,
} from './host-machine.fixture.js';

const stat = (...lines: readonly string[]) => ({
  stat: [...lines, 'ctxt 1', 'btime 1', 'processes 2', 'procs_running 1', 'procs_blocked 0', ''].join('\n'),
});

const startsOf = (reading: readonly Table[] | undefined) =>
  reading?.[0]?.series
    .filter(({ attributes }) => attributes['cpu.logical_number'] === 1)
    .map(({ start }) => start);

test('CpuGroup restarts the series of a CPU without a jump when it comes back online', (t) => {
  const steps = [
    stat('cpu  300 0 50 3000', 'cpu0 100 0 50 1000', 'cpu1 200 0 0 2000'),
    stat('cpu  320 0 60 3100', 'cpu0 120 0 60 1100'),
    stat('cpu  340 0 60 3200', 'cpu0 130 0 60 1180', 'cpu1 210 0 0 2020'),
  ];
  const { readings, values } = readSteps(t, ['cpu'], steps, { cpu: { per_cpu: true } });
  assert.deepEqual(
    values.map((reading) => reading['system.cpu.logical.count']),
    [2, 1, 2],
  );
  assert.equal(values[2]?.['system.cpu.time user 0'], 0.3);
  assert.equal(values[2]?.['system.cpu.time idle 0'], 1.8);
  assert.equal(values[2]?.['system.cpu.time user 1'], 0);
  const [first, later] = [startsOf(readings[0])?.[0] ?? 0n, startsOf(readings[2])?.[0] ?? 0n];
  assert.ok(later > first);
  assert.equal(endedOf(readings[1] ?? []).length, 7);
});

test('CpuGroup never decreases and never restarts when iowait and idle decrease repeatedly', (t) => {
  const steps = [
    [100, 100_000, 54_828],
    [150, 100_100, 54_827],
    [200, 100_050, 54_829],
    [260, 100_200, 54_828],
    [300, 100_300, 54_830],
  ].map(([user, idle, iowait]) => stat(`cpu  ${user} 0 50 ${idle} ${iowait} 1 2 0 0 0`));
  const { readings, values } = readSteps(t, ['cpu'], steps);
  const column = (mode: string) => values.map((reading) => reading[`system.cpu.time ${mode}`]);
  assert.deepEqual(column('user'), [0, 0.5, 1, 1.6, 2]);
  assert.deepEqual(column('idle'), [0, 1, 1, 2, 3]);
  assert.deepEqual(column('iowait'), [0, 0, 0.01, 0.01, 0.02]);
  assert.ok(readings.every(([counters]) => counters?.series === readings[0]?.[0]?.series));
});

const sparseStat = (user: number, idle: number, ctxt: number, born: number) =>
  `cpu  1 0 1 1 1 1 1\ncpu0 ${user} 0 25 ${idle} 3 1 1\ncpu2 ${user} 0 25 ${idle} 4 0 1\n` +
  `intr 147 134 0 0 9\n0 0 0 0\nswap 0 0\n\nctxt ${ctxt}\nbtime 1447514956\nprocesses ${born}\n` +
  'procs_running 0\nprocs_blocked 0\n';

test('CpuGroup reads CPUs with gaps in their numbers between unknown lines', (t) => {
  const steps = [{ stat: sparseStat(50, 500, 93, 20) }, { stat: sparseStat(100, 600, 193, 25) }];
  const values = readSteps(t, ['cpu'], steps, { cpu: { per_cpu: true } }).values[1] ?? {};
  for (const cpu of [0, 2]) {
    assert.equal(values[`system.cpu.time user ${cpu}`], 0.5);
    assert.equal(values[`system.cpu.time idle ${cpu}`], 1);
  }
  assert.equal(values['system.cpu.time user 1'], undefined);
  assert.equal(values['system.cpu.logical.count'], 2);
  assert.equal(values['system.context_switches'], 100);
  assert.equal(values['system.process.created'], 5);
});

test('CpuGroup starts every counter at 0 with the first reading', (t) => {
  const { first } = scrapeTwice(t, ['cpu']);
  assert.deepEqual(valuesOf(first), {
    'system.cpu.time user': 0,
    'system.cpu.time nice': 0,
    'system.cpu.time system': 0,
    'system.cpu.time idle': 0,
    'system.cpu.time iowait': 0,
    'system.cpu.time interrupt': 0,
    'system.cpu.time steal': 0,
    'system.context_switches': 0,
    'system.process.created': 0,
    'system.cpu.logical.count': 4,
    'system.linux.thread.count running': 3,
    'system.linux.thread.count blocked': 1,
  });
});

test('CpuGroup counts seconds by mode when iowait decreases by a tick', (t) => {
  const { later } = scrapeTwice(t, ['cpu']);
  assert.deepEqual(valuesOf(later), {
    'system.cpu.time user': 1.5,
    'system.cpu.time nice': 0,
    'system.cpu.time system': 0.4,
    'system.cpu.time idle': 3.5,
    'system.cpu.time iowait': 0,
    'system.cpu.time interrupt': 0.04,
    'system.cpu.time steal': 0,
    'system.context_switches': 700,
    'system.process.created': 10,
    'system.cpu.logical.count': 3,
    'system.linux.thread.count running': 2,
    'system.linux.thread.count blocked': 0,
  });
  assert.deepEqual(endedOf(later), []);
});

test('CpuGroup ends the series of a CPU when per_cpu is set and it goes offline', (t) => {
  const { first, later } = scrapeTwice(t, ['cpu'], { cpu: { per_cpu: true } });
  assert.equal(first[0]?.series.length, 4 * 7 + 2);
  assert.equal(valuesOf(later)['system.cpu.time user 1'], 0.5);
  assert.equal(valuesOf(later)['system.cpu.time idle 2'], 0.5);
  assert.deepEqual(endedOf(later), [
    'system.cpu.time user 3',
    'system.cpu.time nice 3',
    'system.cpu.time system 3',
    'system.cpu.time idle 3',
    'system.cpu.time iowait 3',
    'system.cpu.time interrupt 3',
    'system.cpu.time steal 3',
  ]);
});

test('CpuGroup reads the existing columns when an old kernel has few', (t) => {
  const values = valuesOf(openScraper(t, copyMachine('old'), ['cpu']).scrape(0));
  assert.equal(values['system.cpu.logical.count'], 2);
  assert.equal(values['system.cpu.time steal'], 0);
});

test('CpuGroup reports CPU time when other lines are missing', (t) => {
  const { scrape, tables } = readDamaged(t, 'cpu', (folder) => {
    for (const label of ['ctxt', 'procs_blocked']) dropLine(join(folder, 'proc/stat'), label);
  });
  assert.throws(scrape, /stat: expected a line that begins with "ctxt ".*"procs_blocked "/u);
  const values = valuesOf(tables);
  assert.equal(values['system.cpu.time user'], 0);
  assert.equal(values['system.process.created'], 0);
  assert.equal(values['system.linux.thread.count running'], 3);
  assert.equal(values['system.linux.thread.count blocked'], NaN);
  assert.ok(!('system.context_switches' in values));
});
