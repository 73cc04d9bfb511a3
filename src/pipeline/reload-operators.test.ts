import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext } from '../component/fakes.js';
import { nodeOf } from '../config/node.js';
import { validateService } from '../config/service.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { createRow } from '../model/table.js';
import { config, createService, createWorld, startReloadable, type World } from './service.fixture.js';

const none = { started: [], stopped: [], restarted: [] };
const series = [{ metric: hwEnergy, resource: { attributes: {} }, attributes: {}, start: 0n }];

function feed(world: World): boolean | undefined {
  return world.entries.get('meter')?.consume(createRow(series, 1n, Float64Array.of(1)));
}

async function startWithLoops() {
  const world = createWorld();
  const { service, reload } = await startReloadable(world, config);
  const calls: string[] = [];
  const join = (name: string) =>
    service.receivers[0]?.loops.join({
      setting: 'collection_interval',
      intervalMs: 1000,
      dueMs: Infinity,
      isFailing: false,
      pause: () => void calls.push(`pause ${name}`),
      resume: () => void calls.push(`resume ${name}`),
      setInterval() {},
    });
  const stateOf = (id: string) => service.agent.listComponents().find((one) => one.id === id)?.state;
  return { world, service, agent: service.agent, reload, calls, join, stateOf };
}

test('reload keeps the pause of a receiver that restarts with other settings', async () => {
  const { service, agent, reload, calls, join, stateOf } = await startWithLoops();
  join('old');
  await agent.pause('meter');
  await reload({ ...config, receivers: { meter: { note: 'other' } } });
  assert.equal(stateOf('meter'), 'paused');
  // Its loop starts to read as soon as it joins, unless it is paused.
  join('new');
  assert.deepEqual(calls, ['pause old', 'pause new']);
  await agent.resume('meter');
  assert.deepEqual([stateOf('meter'), ...calls.slice(2)], ['running', 'resume new']);
  await service.shutdown();
});

test('reload keeps the pauses of an exporter and a processor that restart', async () => {
  const { world, service, agent, reload, stateOf } = await startWithLoops();
  await agent.pause('exporter:web');
  await agent.pause('processor:share');
  await reload({
    ...config,
    exporters: { file: {}, web: { note: 'other' } },
    processors: { share: { note: 'other' } },
  });
  assert.deepEqual([stateOf('web'), stateOf('share')], ['paused', 'paused']);
  world.events.length = 0;
  feed(world);
  assert.deepEqual(world.events, ['table at file', 'table at file']);
  await agent.resume('exporter:web');
  await agent.resume('processor:share');
  await reload({ ...config, exporters: { file: {}, web: { note: 'third' } } });
  assert.deepEqual([stateOf('web'), stateOf('share')], ['running', 'running']);
  await service.shutdown();
});

test('reload ends the pause of a removed component: when it is added again, it runs', async () => {
  const { service, agent, reload, stateOf } = await startWithLoops();
  await agent.pause('exporter:web');
  const pipelines = { metrics: { receivers: ['meter'], exporters: ['file'] } };
  await reload({ receivers: { meter: {} }, exporters: { file: {} }, service: { pipelines } });
  assert.equal(stateOf('web'), undefined);
  await reload(config);
  assert.equal(stateOf('web'), 'running');
  await service.shutdown();
});

test('reload that is rolled back keeps pauses', async () => {
  const { service, agent, reload, stateOf } = await startWithLoops();
  await agent.pause('exporter:web');
  const { outcome } = await reload({ ...config, exporters: { file: {}, web: { broken: true } } });
  assert.deepEqual([outcome, stateOf('web')], ['rolled_back', 'paused']);
  await service.shutdown();
});

test('reload keeps a component stopped, unless its settings have changed', async () => {
  const { world, service, agent, reload, stateOf } = await startWithLoops();
  await agent.stop('meter');
  await reload({ ...config, exporters: { file: {}, web: { note: 'other' } } });
  assert.deepEqual([stateOf('meter'), feed(world)], ['stopped', false]);
  await reload({ ...config, receivers: { meter: { note: 'other' } } });
  assert.deepEqual([stateOf('meter'), feed(world)], ['running', true]);
  await service.shutdown();
});

test('a restarted component does not show errors from before its restart', async () => {
  const { world, service, reload } = await startWithLoops();
  const findError = () => service.agent.listComponents().find(({ id }) => id === 'web')?.lastError?.message;
  await reload({ ...config, exporters: { file: {}, web: { throwing: true } } });
  feed(world);
  assert.equal(findError(), 'Cannot process a table: bad data');
  await reload(config);
  assert.equal(findError(), undefined);
  await service.shutdown();
});

test('reload reports the result of changed telemetry settings, and applies them each time', async () => {
  const world = createWorld();
  const answers = [
    { settings: ['service.telemetry.logs.level'], kept: [] },
    { settings: [], kept: ['Cannot change that: no luck'] },
    { settings: [], kept: [] },
  ];
  const loadConfig = () => validateService(nodeOf(config), world.finder);
  const changeTelemetry = () => Promise.resolve(answers.shift() ?? assert.fail());
  const service = await createService(world, config, createFakeContext(), { loadConfig, changeTelemetry });
  await service.start();
  world.log.lines.length = 0;
  const results = [await service.reload(), await service.reload(), await service.reload()];
  assert.deepEqual(results, [
    { outcome: 'changed', ...none, settings: ['service.telemetry.logs.level'] },
    { outcome: 'unchanged', ...none, kept: ['Cannot change that: no luck'] },
    { outcome: 'unchanged', ...none },
  ]);
  assert.deepEqual(world.log.lines, [
    'info: Reloaded the configuration: changed service.telemetry.logs.level',
    'info: Read the configuration again: nothing has changed',
    'error: Cannot change that: no luck',
    'info: Read the configuration again: nothing has changed',
  ]);
  await service.shutdown();
});
