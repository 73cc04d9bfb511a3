import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext } from '../component/fakes.js';
import { nodeOf } from '../config/node.js';
import { validateService } from '../config/service.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { createEnding, createRow } from '../model/table.js';
import { config, createService, createWorld, startReloadable, type World } from './service.fixture.js';

const series = [{ metric: hwEnergy, resource: { attributes: {} }, attributes: {}, start: 0n }];

function feed(world: World, receiver = 'meter'): boolean | undefined {
  return world.entries.get(receiver)?.consume(createRow(series, 1n, Float64Array.of(1)));
}

const none = { started: [], stopped: [], restarted: [] };

test('reload does nothing when the configuration is the same', async () => {
  const world = createWorld();
  const { service, reload } = await startReloadable(world, config);
  assert.deepEqual(await reload({ ...config, exporters: { ...config.exporters, unused: {} } }), {
    outcome: 'unchanged',
    ...none,
  });
  assert.deepEqual(world.events, []);
  assert.deepEqual(world.log.lines, ['info: Read the configuration again: nothing has changed']);
  await service.shutdown();
});

test('reload replaces a changed exporter, and touches nothing in front of it', async () => {
  const world = createWorld();
  const { service, reload } = await startReloadable(world, config);
  const next = { ...config, exporters: { file: {}, web: { note: 'other' } } };
  assert.deepEqual(await reload(next), { outcome: 'changed', ...none, restarted: ['exporter "web"'] });
  assert.deepEqual(world.events, ['stop web', 'start web']);
  assert.deepEqual(world.log.lines, ['info: Reloaded the configuration: restarted exporter "web"']);
  world.events.length = 0;
  assert.equal(feed(world), true);
  assert.deepEqual(world.events, ['table at share', 'table at file', 'table at web', 'table at file']);
  await service.shutdown();
});

test('reload replaces a changed processor, and connects the new one in its place', async () => {
  const world = createWorld();
  const { service, reload } = await startReloadable(world, config);
  await reload({ ...config, processors: { share: { note: 'other' } } });
  assert.deepEqual(world.events, ['stop share', 'start share']);
  world.events.length = 0;
  feed(world);
  assert.deepEqual(world.events, ['table at share', 'table at file', 'table at web', 'table at file']);
  await service.shutdown();
});

test('reload holds tables while components are replaced', async () => {
  const world = createWorld();
  const slow = { ...config, exporters: { file: {}, web: { slow: true } } };
  const { service, reload } = await startReloadable(world, slow);
  const reloading = reload({ ...config, exporters: { file: {}, web: { note: 'other' } } });
  while (!world.events.includes('stop web')) await Promise.resolve();
  assert.equal(feed(world), true);
  await reloading;
  const after = world.events.slice(world.events.indexOf('start web'));
  assert.deepEqual(after, ['start web', 'table at share', 'table at file', 'table at web', 'table at file']);
  await service.shutdown();
});

test('reload starts new components before it stops removed ones, and lets a removed exporter deliver last', async () => {
  const world = createWorld();
  const { service, reload } = await startReloadable(world, config);
  const next = {
    receivers: { meter: {}, other: {} },
    processors: { share: {} },
    exporters: { file: {}, cloud: {} },
    extensions: { health: {}, watch: {} },
    service: {
      extensions: ['watch'],
      pipelines: {
        metrics: { receivers: ['meter', 'other'], processors: ['share'], exporters: ['file', 'cloud'] },
      },
    },
  };
  const { outcome, ...changes } = await reload(next);
  assert.equal(outcome, 'changed');
  assert.deepEqual(changes, {
    started: ['extension "watch"', 'exporter "cloud"', 'receiver "other"'],
    stopped: ['extension "health"', 'exporter "web"'],
    restarted: [],
  });
  assert.deepEqual(world.events, ['start watch', 'start cloud', 'stop health', 'start other', 'stop web']);
  const listed = service.agent
    .listComponents()
    .map(({ kind, id, pipelines }) => `${kind} ${id} ${pipelines.join('+')}`);
  assert.deepEqual(listed, [
    'receiver meter metrics',
    'receiver other metrics',
    'processor share metrics',
    'exporter file metrics',
    'exporter cloud metrics',
    'extension watch ',
  ]);
  await service.shutdown();
});

test('reload ends the series of a removed receiver for every component that stays', async () => {
  const world = createWorld();
  const receivers = { meter: {}, other: {} };
  const pipelines = { metrics: { receivers: ['meter', 'other'], exporters: ['file'] } };
  const first = { receivers, exporters: { file: {} }, service: { pipelines } };
  const { service, reload } = await startReloadable(world, first);
  feed(world, 'other');
  const [one] = series;
  assert.ok(one);
  const ended = { ...one, attributes: { id: 'ended' } };
  world.entries.get('other')?.consume(createRow([ended], 1n, Float64Array.of(1)));
  world.entries.get('other')?.consume(createEnding([ended], 2n));
  world.tables.length = 0;
  await reload({
    ...first,
    service: { pipelines: { metrics: { receivers: ['meter'], exporters: ['file'] } } },
  });
  assert.deepEqual(
    world.tables.map((table) => table.ended),
    [series],
  );
  assert.equal(feed(world, 'other'), false);
  await service.shutdown();
});

test('reload ends the series that a processor created, and not those that it passed on', async () => {
  const world = createWorld();
  const { service, reload } = await startReloadable(world, {
    ...config,
    processors: { share: { adding: true } },
  });
  feed(world);
  world.tables.length = 0;
  await reload({ ...config, processors: { share: {} } });
  const ended = world.tables.flatMap((table) => table.ended ?? []);
  // Both exporters of the pipeline receive it.
  assert.deepEqual(
    ended.map(({ attributes }) => attributes),
    [{ share: 'share' }, { share: 'share' }],
  );
  await service.shutdown();
});

test('reload refuses an invalid configuration, reports why and changes nothing', async () => {
  const world = createWorld();
  const { service, reload } = await startReloadable(world, config);
  const result = await reload({ ...config, receivers: { meter: { zonnes: 1, missing: 'maybe' } } });
  assert.equal(result.outcome, 'refused');
  assert.match(
    result.problem ?? '',
    /^receivers\.meter\.zonnes: unknown setting.*; receivers\.meter\.missing: /u,
  );
  assert.match(
    world.log.lines.join('\n'),
    /^error: Cannot reload the configuration: .*; nothing has changed$/u,
  );
  assert.deepEqual(world.events, []);
  assert.equal(feed(world), true);
  await service.shutdown();
});

test('reload touches nothing when a new component cannot start', async () => {
  const world = createWorld();
  const { service, reload } = await startReloadable(world, config);
  const result = await reload({
    ...config,
    receivers: { meter: { note: 'other' } },
    extensions: { health: {}, watch: { broken: true } },
    service: { ...config.service, extensions: ['health', 'watch'] },
  });
  assert.deepEqual(result, {
    outcome: 'rolled_back',
    ...none,
    problem: 'Cannot start extension "watch": no luck',
  });
  assert.deepEqual(world.events, ['start watch', 'stop watch']);
  assert.deepEqual(world.log.lines, [
    'error: Cannot apply the configuration: Cannot start extension "watch": no luck; using the old one again',
  ]);
  await service.shutdown();
});

test('reload touches nothing when a new receiver does not find its source', async () => {
  const world = createWorld();
  const { service, reload } = await startReloadable(world, config);
  const { outcome, problem } = await reload({ ...config, receivers: { meter: { missing: true } } });
  assert.equal(outcome, 'rolled_back');
  assert.equal(problem, 'Cannot start receiver "meter": no meter; a driver: modprobe meter');
  assert.deepEqual(world.events, []);
  await service.shutdown();
});

test('reload starts the old component again when its successor cannot start', async () => {
  const world = createWorld();
  const { service, reload } = await startReloadable(world, config);
  const { outcome, problem } = await reload({ ...config, exporters: { file: {}, web: { broken: true } } });
  assert.equal(outcome, 'rolled_back');
  assert.equal(problem, 'Cannot start exporter "web": no luck');
  assert.deepEqual(world.events, ['stop web', 'start web', 'stop web', 'start web']);
  world.events.length = 0;
  assert.equal(feed(world), true);
  assert.deepEqual(world.events, ['table at share', 'table at file', 'table at web', 'table at file']);
  await service.shutdown();
});

test('reload starts the old receiver again when its successor cannot start', async () => {
  const world = createWorld();
  const { service, reload } = await startReloadable(world, config);
  const { outcome } = await reload({ ...config, receivers: { meter: { broken: true } } });
  assert.equal(outcome, 'rolled_back');
  assert.deepEqual(world.events, ['stop meter', 'start meter', 'stop meter', 'start meter']);
  assert.equal(feed(world), true);
  await service.shutdown();
});

test('reload retries components that the old configuration could not start, although nothing has changed', async () => {
  const world = createWorld();
  const { service, reload } = await startReloadable(world, config);
  world.lacks.add('web');
  await reload({ ...config, exporters: { file: {}, web: { note: 'other' } } });
  assert.match(world.log.lines.join('\n'), /error: Cannot start exporter "web": not now/u);
  assert.equal(feed(world), true);
  world.lacks.clear();
  const { outcome, started } = await reload(config);
  assert.deepEqual([outcome, started], ['changed', ['exporter "web"']]);
  await service.shutdown();
});

test('reload restarts every receiver that it can when one of the old configuration cannot start', async () => {
  const world = createWorld();
  const receivers = { meter: {}, other: {} };
  const pipelines = { metrics: { receivers: ['meter', 'other'], exporters: ['file'] } };
  const first = { receivers, exporters: { file: {} }, service: { pipelines } };
  const { service, reload } = await startReloadable(world, first);
  world.lacks.add('meter');
  const { outcome } = await reload({ ...first, receivers: { meter: { note: 'b' }, other: { note: 'b' } } });
  assert.equal(outcome, 'rolled_back');
  assert.match(world.log.lines.join('\n'), /error: Cannot start receiver "meter": not now/u);
  assert.equal(feed(world, 'other'), true);
  world.lacks.clear();
  const { started } = await reload(first);
  assert.deepEqual(started, ['receiver "meter"']);
  await service.shutdown();
});

test('reload restarts an exporter when the extension that it needs restarts', async () => {
  const world = createWorld();
  const first = { ...config, exporters: { file: {}, web: { storage: 'health' } } };
  const { service, reload } = await startReloadable(world, first);
  await reload({ ...first, extensions: { health: { note: 'other' } } });
  assert.deepEqual(world.events, ['stop web', 'stop health', 'start health', 'start web']);
  await service.shutdown();
});

test('reload lets requests that arrive meanwhile share the next one', async () => {
  const world = createWorld();
  const { service, reload } = await startReloadable(world, config);
  const first = reload({ ...config, exporters: { file: {}, web: { note: 'b' } } });
  const [second, third] = [reload(), reload({ ...config, exporters: { file: {}, web: { note: 'c' } } })];
  assert.equal(second, third);
  const [, last] = await Promise.all([first, second]);
  // The first reload may have read the last text already.
  assert.ok(['changed', 'unchanged'].includes(last.outcome));
  assert.deepEqual(await reload(), { outcome: 'unchanged', ...none });
  await service.shutdown();
});

test('shutdown during a reload stops everything once the reload has ended', async () => {
  const world = createWorld();
  const slow = { ...config, exporters: { file: {}, web: { slow: true } } };
  const { service, reload } = await startReloadable(world, slow);
  const reloading = reload({ ...config, exporters: { file: {}, web: { note: 'other' } } });
  while (!world.events.includes('stop web')) await Promise.resolve();
  await Promise.all([service.shutdown(), reloading]);
  const running = service.agent.listComponents().filter(({ state }) => state !== 'stopped');
  assert.deepEqual(running, []);
  assert.equal((await reload()).outcome, 'rolled_back');
});

test('reload reports the start and the end of each reload, whatever requested it', async () => {
  const world = createWorld();
  const events: string[] = [];
  const owner = {
    loadConfig: () => validateService(nodeOf(config), world.finder),
    onReloading: () => void events.push('reloading'),
    onReloaded: () => void events.push('reloaded'),
  };
  const service = await createService(world, config, createFakeContext(), owner);
  await service.start();
  await Promise.all([service.agent.reload(), service.reload()]);
  assert.deepEqual(events, ['reloading', 'reloaded', 'reloading', 'reloaded']);
  await service.shutdown();
});
