import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import type { Sampler } from '../../src/component/sampling.js';
import { parseSettings } from '../../src/config/settings.js';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import { until } from '../../src/testing/until.js';
import { schema } from './config.js';
import type { Columns } from './metrics.js';
import { createPlan, findEvents, type Target } from './plan.js';
import { PerfSampler } from './sampler.js';

function openOn(t: TestContext, target: Target, settings: Readonly<Record<string, unknown>>): Sampler {
  const config = parseSettings(schema, settings);
  const sampler = new PerfSampler(structuredClone(createPlan(config, findEvents(config), target)));
  t.after(() => sampler.close());
  return sampler;
}

function readRow(sampler: Sampler): Readonly<Record<string, number>> {
  const values = new Float64Array(sampler.width);
  sampler.read(values, 0);
  // The sampler's own description.
  const { columns } = sampler.columns as Columns;
  return Object.fromEntries(
    columns.map(({ metricName, attributes }, i) => {
      const { 'perf.event.name': name, 'cpu.logical_number': cpu } = attributes;
      const place = cpu === undefined ? '' : ` ${cpu}`;
      return [`${metricName.replace('perf.event.', '')} ${name}${place}`, values[i]];
    }),
  );
}

/** A process that causes page faults continually. */
function startBusy(t: TestContext): ChildProcess & { readonly pid: number } {
  const child = spawn('sh', ['-c', 'while :; do /bin/true; done'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  assert.ok(child.pid !== undefined);
  return Object.assign(child, { pid: child.pid });
}

test('PerfSampler counts the whole machine from 0 on', { skip: perfRefused }, async (t) => {
  startBusy(t);
  const sampler = openOn(
    t,
    { kind: 'machine' },
    { events: ['page-faults', 'context-switches', 'cpu-clock'] },
  );
  assert.deepEqual(readRow(sampler), {
    'count page-faults': 0,
    'count context-switches': 0,
    'time cpu-clock': 0,
  });
  for (let before = readRow(sampler), again = 0; again < 2; again++) {
    await until(() => {
      const now = readRow(sampler);
      return Object.entries(before).every(([name, value]) => now[name] > value);
    });
    before = readRow(sampler);
  }
});

test('PerfSampler has a column for each CPU when configured to', { skip: perfRefused }, (t) => {
  const sampler = openOn(t, { kind: 'machine' }, { events: ['cs'], per_cpu: true });
  const online = readFileSync('/proc/stat', 'utf8').match(/^cpu\d+/gm) ?? [];
  assert.deepEqual(
    Object.keys(readRow(sampler)),
    online.map((cpu) => `count cs ${cpu.slice(3)}`),
  );
});

test(
  'PerfSampler counts a process with all its threads, started before and after',
  { skip: perfRefused },
  async (t) => {
    const script = `
    const { Worker } = require('node:worker_threads');
    const loop = '(() => { let sum = 0; for (let i = 0; i < 1e9; i++) sum += i; return sum; })()';
    const burn = () => new Worker(loop, { eval: true });
    process.stdin.once('data', () => { burn(); burn(); });
    process.stdout.write('ready');
    setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    await new Promise((resolve) => void child.stdout.once('data', resolve));
    const sampler = openOn(t, { kind: 'process', pid: child.pid ?? 0 }, { events: ['task-clock'] });
    readRow(sampler);
    child.stdin.write('go');
    // Exceeds the faults of the main thread alone.
    await until(() => {
      sampler.maintain?.();
      return readRow(sampler)['time task-clock'] > 0.25;
    });
    assert.equal(sampler.generation, 0);
  },
);

test(
  'PerfSampler reports which events are not counted, and counts the others',
  { skip: perfRefused },
  (t) => {
    const sampler = openOn(
      t,
      { kind: 'process', pid: process.pid },
      { events: ['cs', 'r1:pppD', '{faults,task-clock}'] },
    );
    assert.deepEqual(Object.keys(readRow(sampler)).slice(0, 3), [
      'count faults',
      'time task-clock',
      'count cs',
    ]);
    const { notes } = sampler.columns as Columns;
    assert.ok(notes.length === 0 || notes[0].includes('"r1:pppD"'), notes.join());
  },
);

test('PerfSampler refuses a process that has ended', () => {
  const config = parseSettings(schema, { events: ['task-clock'] });
  const plan = createPlan(config, findEvents(config), { kind: 'process', pid: 2 ** 22 + 1 });
  assert.throws(() => new PerfSampler(plan), {
    name: 'UnavailableError',
    message: `Cannot count process ${2 ** 22 + 1}: expected a running process, found none`,
  });
});
