import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Sampler } from '../../src/component/sampling.js';
import { parseSettings } from '../../src/config/settings.js';
import { createFakePmus } from '../../src/linux/perf/fake-sysfs.fixture.js';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import { until } from '../../src/testing/until.js';
import { schema } from './config.js';
import type { Columns } from './metrics.js';
import { OnlineCpus } from './online-cpus.js';
import { countPerfEvents } from './perf-cgroups.fixture.js';
import { createPlan, findEvents } from './plan.js';
import { PerfSampler } from './sampler.js';

// PMUs described by sysfs and counted by the kernel's software events: type 1 with event 0 is its cpu-clock, in
// nanoseconds.

const needsTwo = availableParallelism() < 2 ? 'this machine has one CPU' : perfRefused;

const pmu = (name: string, cpu: number) => ({
  [`${name}/type`]: '1',
  [`${name}/cpus`]: String(cpu),
  [`${name}/format/event`]: 'config:0-7',
  [`${name}/events/clock`]: 'event=0x0',
  [`${name}/events/energy`]: 'event=0x0',
  [`${name}/events/energy.scale`]: '1e-9',
  [`${name}/events/energy.unit`]: 'Joules',
});

/** A machine with two kinds of cores, one CPU each, whose PMUs count the time that their CPU was online. */
function createHybrid(): string {
  const sysfs = createFakePmus({ ...pmu('cpu_core', 0), ...pmu('cpu_atom', 1) });
  writeOnline(sysfs, '0-1');
  return sysfs;
}

function writeOnline(sysfs: string, online: string): void {
  mkdirSync(join(sysfs, 'devices/system/cpu'), { recursive: true });
  writeFileSync(join(sysfs, 'devices/system/cpu/online'), `${online}\n`);
}

function openOn(t: TestContext, settings: Readonly<Record<string, unknown>>, nowMs?: () => number): Sampler {
  const config = parseSettings(schema, settings);
  const online = new OnlineCpus(config.sysfs, nowMs);
  t.after(() => online.close());
  const sampler = new PerfSampler(createPlan(config, findEvents(config), { kind: 'machine' }), { online });
  t.after(() => sampler.close());
  return sampler;
}

function describeColumns(sampler: Sampler): readonly string[] {
  // The sampler's own description.
  const { columns } = sampler.columns as Columns;
  return columns.map(({ metricName, attributes }) => [metricName, ...Object.values(attributes)].join(' '));
}

function readRow(sampler: Sampler): readonly number[] {
  const values = new Float64Array(sampler.width);
  sampler.read(values, 0);
  return [...values];
}

test(
  'PerfSampler sums kinds of cores, each counted on its own CPUs, in the unit of sysfs',
  { skip: needsTwo },
  async (t) => {
    const sampler = openOn(t, { sysfs: createHybrid(), events: ['clock', 'energy', 'cpu_atom/clock/'] });
    assert.deepEqual(describeColumns(sampler), [
      'perf.event.count clock',
      'perf.event.energy energy',
      'perf.event.count cpu_atom/clock/',
    ]);
    assert.deepEqual(readRow(sampler), [0, 0, 0]);
    await new Promise((resolve) => void setTimeout(resolve, 200));
    const [both, joules, atom] = readRow(sampler);
    assert.ok(Math.abs(both / atom - 2) < 0.5, `${both} ns on two CPUs, ${atom} ns on one`);
    assert.ok(Math.abs(joules / (both / 1e9) - 1) < 0.5, `${joules} J, ${both} ns`);
  },
);

test('PerfSampler keeps kinds of cores and CPUs apart when configured to', { skip: needsTwo }, (t) => {
  const settings = { sysfs: createHybrid(), events: ['clock'], per_pmu: true };
  assert.deepEqual(describeColumns(openOn(t, settings)), [
    'perf.event.count clock cpu_core',
    'perf.event.count clock cpu_atom',
  ]);
  assert.deepEqual(describeColumns(openOn(t, { ...settings, per_cpu: true })), [
    'perf.event.count clock 0 cpu_core',
    'perf.event.count clock 1 cpu_atom',
  ]);
});

test(
  'PerfSampler keeps the counts of a CPU that goes offline, and continues from them when it is back',
  { skip: needsTwo },
  async (t) => {
    let nowMs = 0;
    const sysfs = createHybrid();
    const sampler = openOn(t, { sysfs, events: ['cpu-clock'], per_cpu: true }, () => nowMs);
    const switchTo = (online: string) => {
      writeOnline(sysfs, online);
      nowMs += 1000;
      sampler.maintain?.();
    };
    readRow(sampler);
    await until(() => readRow(sampler).every((seconds) => seconds > 0));
    switchTo('1');
    const [kept, before] = readRow(sampler);
    assert.ok(kept > 0);
    await until(() => readRow(sampler)[1] > before + 0.05);
    assert.equal(readRow(sampler)[0], kept);
    switchTo('0-1');
    await until(() => readRow(sampler)[0] > kept);
    // Less than the time since the start: it was offline for a part of it.
    const [first, second] = readRow(sampler);
    assert.ok(first < second, `${first} s, ${second} s`);
    assert.equal(sampler.generation, 0);
    // One counts, and one shows whether the CPU goes offline.
    assert.equal(countPerfEvents(), 2 * 2);
  },
);

test('PerfSampler adds a column for a new CPU, and continues the existing ones', { skip: needsTwo }, (t) => {
  let nowMs = 0;
  const sysfs = createHybrid();
  writeOnline(sysfs, '1');
  const sampler = openOn(t, { sysfs, events: ['cs'], per_cpu: true }, () => nowMs);
  readRow(sampler);
  const { columnIds: [known] = [] } = sampler;
  writeOnline(sysfs, '0-1');
  nowMs = 499;
  sampler.maintain?.();
  assert.equal(sampler.generation, 0);
  nowMs = 500;
  sampler.maintain?.();
  assert.equal(sampler.generation, 1);
  assert.deepEqual(describeColumns(sampler), ['perf.event.count cs 1', 'perf.event.count cs 0']);
  assert.equal(sampler.columnIds?.[0], known);
  assert.notEqual(sampler.columnIds?.[1], known);
  assert.equal(readRow(sampler)[1], 0);
});
