import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import { createSampling } from '../../src/sampling/sampling-threads.js';
import { until } from '../../src/testing/until.js';
import { schema } from './config.js';
import { factory } from './factory.js';
import { createPlan, findEvents } from './plan.js';

const check = (settings: Readonly<Record<string, unknown>>) =>
  factory.check?.(parseSettings(schema, settings));

test('factory reports settings that are wrong in combination', () => {
  assert.deepEqual(check({}), []);
  assert.deepEqual(check({ events: ['cs', 'cycles:x'], processes: { pids: [0] } }), [
    'events[1]: Cannot parse events "cycles:x" at character 8: expected modifiers out of u, k, h, I, G, H, p, D, e, found "x"',
    'processes.pids[0]: expected the number of a process, found 0',
  ]);
  assert.deepEqual(check({ events: [], machine: false }), [
    'events: there is none, at least one must be counted',
    'machine: is false, and there are neither processes nor cgroups to be counted',
  ]);
});

const readings = (settings: Readonly<Record<string, unknown>>) => {
  const config = parseSettings(schema, { events: ['cs'], ...settings });
  return createPlan(config, findEvents(config), { kind: 'machine' }).derivedReadings;
};

test('createPlan rounds the window of derived metrics up to whole readings', () => {
  assert.equal(readings({}), 0);
  assert.equal(readings({ derived: true, sampling_interval: '100us', derived_window: '1s' }), 10_000);
  assert.equal(readings({ derived: true, sampling_interval: '300ms', derived_window: '1s' }), 4);
  assert.equal(readings({ derived: true, sampling_interval: '5s' }), 1);
});

test('factory counts a process from its discovery to its end', { skip: perfRefused }, async (t) => {
  const log = createLogCollector();
  const fake = createFakeContext({ id: 'perf', log });
  const sampling = createSampling({ log, meter: fake.meter });
  t.after(() => sampling.shutdown());
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const next = createTableCollector();
  const config = parseSettings(schema, {
    events: ['task-clock', 'page-faults', 'nonsense'],
    machine: false,
    processes: { pids: [child.pid] },
    scan_interval: '10ms',
    flush_interval: '10ms',
    sampling_interval: '1ms',
  });
  const receiver = factory.create(config, { ...fake, sampling }, next);
  await receiver.start();
  const series = next.tables.flatMap((table) => table.series);
  child.kill('SIGKILL');
  await until(() => next.tables.some(({ ended }) => ended !== undefined));
  await receiver.shutdown();
  assert.deepEqual(
    [...new Set(series)].map(({ metric, attributes, resource }) => [
      metric.name,
      attributes['perf.event.name'],
      resource.attributes['process.pid'],
    ]),
    [
      ['perf.event.time', 'task-clock', child.pid],
      ['perf.event.count', 'page-faults', child.pid],
    ],
  );
  assert.deepEqual(new Set(next.tables.flatMap(({ ended = [] }) => ended)), new Set(series));
  assert.match(
    log.lines.join('\n'),
    /warn: Cannot count event "nonsense": expected an event of this machine, found none of this name/,
  );
});

test('factory cannot start when no event is known', async () => {
  const config = parseSettings(schema, { events: ['nonsense'] });
  const receiver = factory.create(config, createFakeContext(), createTableCollector());
  await assert.rejects(async () => receiver.start(), { name: 'UnavailableError', message: /"nonsense"/ });
  await receiver.shutdown();
  assert.equal((await factory.probe(config, createFakeContext())).available, false);
});
