import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createMeterReader } from '../component/fakes.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { createRow } from '../model/table.js';
import { config, createService, createWorld } from './service.fixture.js';

const series = [{ metric: hwEnergy, resource: { attributes: {} }, attributes: {}, start: 0n }];

test('listComponents has every component with its pipelines, its state and what passed', async () => {
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
    'extension health  running 0 0',
    'exporter file metrics+metrics/raw running 0 2 Cannot take a table: bad data',
    'exporter web metrics running 1 0',
    'processor share metrics running 0 1',
    'receiver meter metrics+metrics/raw running 0 1',
  ]);
  await service.shutdown();
  assert.deepEqual(
    service.agent.listComponents().map(({ state }) => state),
    ['stopped', 'stopped', 'stopped', 'stopped', 'stopped'],
  );
});

test('listComponents says since when a component is in its state', async () => {
  const service = await createService(createWorld(), config);
  const before = Date.now();
  await service.start();
  const [{ since } = { since: new Date(0) }] = service.agent.listComponents();
  assert.ok(since.getTime() >= before && since.getTime() <= Date.now());
  await service.shutdown();
});

test('listComponents has a receiver that is left out or replaced as disabled, with the reason', async () => {
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

test('trigger makes one receiver read, and names those that run when there is no such receiver', async () => {
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

test('flush asks receivers first, then processors and exporters, each before the one behind it', async () => {
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
