import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createMeterReader } from '../component/fakes.js';
import type { ReadingLoop } from '../component/reading-loop.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { createRow } from '../model/table.js';
import { config, createService, createWorld } from './service.fixture.js';

const series = [{ metric: hwEnergy, resource: { attributes: {} }, attributes: {}, start: 0n }];

test('listComponents lists every component with its pipelines, its state and its points', async () => {
  const world = createWorld();
  const context = createFakeContext({ meter: createMeterReader().meter });
  const service = await createService(
    world,
    { ...config, exporters: { file: { throwing: true }, web: {} } },
    context,
  );
  await service.start();
  world.entries.get('meter')?.consume(createRow(series, 1n, Float64Array.of(1)));
  const short = service.agent
    .listComponents()
    .map(
      ({ kind, id, pipelines, state, acceptedPoints, refusedPoints, lastError }) =>
        `${kind} ${id} ${pipelines.join('+')} ${state} ${acceptedPoints} ${refusedPoints}` +
        (lastError ? ` ${lastError.message}` : ''),
    );
  assert.deepEqual(short, [
    'receiver meter metrics+metrics/raw running 0 1',
    'processor share metrics running 0 1',
    'exporter file metrics+metrics/raw running 0 2 Cannot process a table: bad data',
    'exporter web metrics running 1 0',
    'extension health  running 0 0',
  ]);
  await service.shutdown();
  assert.deepEqual(
    service.agent.listComponents().map(({ state }) => state),
    ['stopped', 'stopped', 'stopped', 'stopped', 'stopped'],
  );
});

test('listComponents reports since when a component is in its state', async () => {
  const service = await createService(createWorld(), config);
  const before = Date.now();
  await service.start();
  const [{ since } = { since: new Date(0) }] = service.agent.listComponents();
  assert.ok(since.getTime() >= before && since.getTime() <= Date.now());
  await service.shutdown();
});

test('listComponents lists a receiver that is left out or replaced as disabled, with the reason', async () => {
  const receivers = {
    meter: {},
    gone: { missing: true, start: 'auto' },
    guess: { fallback_for: ['meter'] },
  };
  const pipelines = { metrics: { receivers: ['meter', 'gone', 'guess'], exporters: ['file'] } };
  const service = await createService(createWorld(), {
    receivers,
    exporters: { file: {} },
    service: { pipelines },
  });
  await service.start();
  const disabled = service.agent.listComponents().filter(({ state }) => state === 'disabled');
  assert.deepEqual(
    disabled.map(({ id, lastError }) => `${id}: ${lastError?.message}`),
    ['gone: no meter; a driver: modprobe meter', 'guess: fallback for "meter", which is running'],
  );
  await service.shutdown();
});

test('trigger makes one receiver read, and lists those that run when there is no such receiver', async () => {
  const world = createWorld();
  const service = await createService(world, config);
  await service.start();
  world.events.length = 0;
  await service.agent.trigger('meter');
  assert.deepEqual(world.events, ['flush meter']);
  await assert.rejects(service.agent.trigger('web'), {
    message: 'Cannot trigger receiver "web": expected one that runs (meter), found none of that id',
  });
  await service.shutdown();
});

test('flush first flushes receivers, then processors and exporters, each before its consumer', async () => {
  const world = createWorld();
  const service = await createService(world, config);
  await service.start();
  world.events.length = 0;
  await service.agent.flush();
  assert.deepEqual(world.events, ['flush meter', 'flush share', 'flush web', 'flush file']);
  await service.shutdown();
});

test('shutdown asks the owner of the service to end', async () => {
  let asked = 0;
  const service = await createService(createWorld(), config, createFakeContext(), {
    onShutdownRequest: () => (asked += 1),
  });
  await service.start();
  service.agent.shutdown();
  assert.equal(asked, 1);
  await service.shutdown();
});

/** A service whose receivers read at intervals, and the calls of their loops. */
async function startControlled(receivers: object = { meter: {} }) {
  const world = createWorld();
  const pipelines = {
    metrics: { receivers: Object.keys(receivers), processors: ['share'], exporters: ['file'] },
  };
  const service = await createService(world, {
    receivers,
    processors: { share: {} },
    exporters: { file: {} },
    service: { pipelines },
  });
  await service.start();
  const calls: string[] = [];
  const join = (id: string, overrides: Partial<ReadingLoop> = {}) => {
    const loop: ReadingLoop = {
      setting: 'collection_interval',
      intervalMs: 1000,
      dueMs: Infinity,
      isFailing: false,
      pause: () => void calls.push(`pause ${id}`),
      resume: () => void calls.push(`resume ${id}`),
      setInterval: (ms) => void calls.push(`set ${id} ${ms}`),
      ...overrides,
    };
    service.receivers.find((one) => one.id === id)?.loops.join(loop);
  };
  const stateOf = (kind: string) => service.agent.listComponents().find((one) => one.kind === kind)?.state;
  return { world, service, agent: service.agent, calls, join, stateOf };
}

test('a receiver is paused, resumed and given another interval, by its id or with its kind', async () => {
  const { agent, calls, join, service, stateOf } = await startControlled();
  join('meter');
  await agent.pause('meter');
  assert.equal(stateOf('receiver'), 'paused');
  await agent.resume('receiver:meter');
  await agent.setInterval('meter', 500);
  assert.equal(stateOf('receiver'), 'running');
  assert.deepEqual(calls, ['pause meter', 'resume meter', 'set meter 500']);
  assert.deepEqual(agent.listComponents().at(0)?.intervalsMs, { collection_interval: 1000 });
  await service.shutdown();
});

test('tables bypass a paused processor, and a paused exporter drops them', async () => {
  const { agent, world, service } = await startControlled();
  const send = () => {
    world.events.length = 0;
    const isTaken = world.entries.get('meter')?.consume(createRow(series, 1n, Float64Array.of(1)));
    return [isTaken, ...world.events];
  };
  await agent.pause('processor:share');
  assert.deepEqual(send(), [true, 'table at file']);
  await agent.resume('processor:share');
  await agent.pause('exporter:file');
  assert.deepEqual(send(), [true, 'table at share']);
  await agent.resume('exporter:file');
  assert.deepEqual(send(), [true, 'table at share', 'table at file']);
  const exporter = agent.listComponents().find(({ kind }) => kind === 'exporter');
  assert.deepEqual([exporter?.acceptedPoints, exporter?.refusedPoints], [2, 1]);
  await service.shutdown();
});

test('a stopped receiver or exporter is shut down, receives nothing and cannot be resumed', async () => {
  const { agent, world, service, stateOf } = await startControlled();
  world.events.length = 0;
  await agent.stop('exporter:file');
  assert.deepEqual([stateOf('exporter'), world.events], ['stopped', ['stop file']]);
  world.entries.get('meter')?.consume(createRow(series, 1n, Float64Array.of(1)));
  assert.deepEqual(world.events, ['stop file', 'table at share']);
  await agent.stop('meter');
  assert.equal(stateOf('receiver'), 'stopped');
  const message = 'expected one that runs, found it stopped; restart the agent';
  await assert.rejects(agent.resume('meter'), { message: `Cannot resume receiver "meter": ${message}` });
  await assert.rejects(agent.resume('exporter:file'), {
    message: `Cannot resume exporter "file": ${message}`,
  });
  await service.shutdown();
});

test('a fallback receiver takes over when the receiver that it replaces is stopped', async () => {
  const { agent, world, service } = await startControlled({ meter: {}, guess: { fallback_for: ['meter'] } });
  const states = () =>
    agent.listComponents().flatMap(({ kind, id, state }) => (kind === 'receiver' ? [`${id} ${state}`] : []));
  assert.deepEqual(states(), ['meter running', 'guess disabled']);
  await agent.stop('meter');
  assert.deepEqual(states(), ['meter stopped', 'guess running']);
  assert.equal(world.entries.get('guess')?.consume(createRow(series, 1n, Float64Array.of(1))), true);
  // A stopped component stays stopped, and passes nothing on.
  assert.equal(world.entries.get('meter')?.consume(createRow(series, 1n, Float64Array.of(1))), false);
  await service.shutdown();
});

test('a receiver that was refused a claim restarts when the owner is stopped', async () => {
  const { agent, world, service } = await startControlled({ meter: {}, spare: {} });
  const [meter, spare] = ['meter', 'spare'].map((id) => world.claims.get(id));
  assert.deepEqual([meter?.claim('energy/host'), spare?.claim('energy/host')], [undefined, 'meter']);
  world.events.length = 0;
  await agent.stop('meter');
  assert.deepEqual(world.events, ['stop meter', 'stop spare', 'start spare']);
  assert.equal(world.claims.get('spare')?.claim('energy/host'), undefined);
  await service.shutdown();
});

test('the agent continues when an operator has stopped its only receiver', async () => {
  const { agent, service, stateOf } = await startControlled();
  await agent.stop('meter');
  await agent.flush();
  assert.deepEqual([stateOf('receiver'), service.isReady], ['stopped', true]);
  await service.shutdown();
});

test('a stopped receiver ends its series once, and sends nothing afterwards', async () => {
  const { agent, world, service } = await startControlled();
  const feed = () => world.entries.get('meter')?.consume(createRow(series, 1n, Float64Array.of(1)));
  feed();
  world.tables.length = 0;
  await agent.stop('meter');
  assert.equal(feed(), false);
  await service.shutdown();
  assert.deepEqual(
    world.tables.map(({ ended }) => ended),
    [series],
  );
});

test('a receiver whose loops all fail is failed until one of them reads again', async () => {
  const { join, service, stateOf } = await startControlled();
  const loop = { isFailing: true };
  join('meter', loop);
  join('meter', {
    get isFailing() {
      return loop.isFailing;
    },
  });
  assert.equal(stateOf('receiver'), 'failed');
  await service.shutdown();
  assert.equal(stateOf('receiver'), 'stopped');
});

test('findStall names a pipeline in which no receiver reads, although one should', async () => {
  const { agent, join, service } = await startControlled({ meter: {}, spare: {} });
  assert.equal(agent.findStall(), undefined);
  const late = { dueMs: performance.now() - 60_000 };
  join('meter', late);
  assert.equal(agent.findStall(), undefined);
  join('spare', late);
  assert.match(
    agent.findStall() ?? '',
    /^no receiver of the pipeline "metrics" has read for 60 s longer than its interval$/u,
  );
  join('spare');
  assert.equal(agent.findStall(), undefined);
  await service.shutdown();
});
