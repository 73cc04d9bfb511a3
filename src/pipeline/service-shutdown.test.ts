import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hwEnergy } from '../model/shared-metrics.js';
import { createRow } from '../model/table.js';
import { until } from '../testing/until.js';
import { config, createService, createWorld } from './service.fixture.js';

test('Service shuts down once when it is asked twice, and without a start', async () => {
  const world = createWorld();
  const service = await createService(world, config);
  await service.shutdown();
  await service.shutdown();
  assert.deepEqual(world.events, []);
});

test('Service lets every exporter drain when another one hangs', async () => {
  const world = createWorld();
  const exporters = { file: { slow: true }, web: { hanging: true } };
  const service = await createService(world, { ...config, exporters });
  await service.start();
  await service.shutdown(1000);
  assert.ok(world.events.includes('drained file'));
  assert.equal(world.log.lines.length, 1);
  assert.match(
    world.log.lines[0] ?? '',
    /^error: Cannot shut down exporter "web": expected an end within \d+ ms/,
  );
});

test('Service passes its time limit to each component that it stops', async () => {
  const world = createWorld();
  const service = await createService(world, config);
  await service.start();
  await service.shutdown(1000);
  const { limits } = world;
  assert.ok((limits.get('meter') ?? NaN) <= 350);
  assert.ok((limits.get('file') ?? NaN) <= 950);
  assert.ok((limits.get('health') ?? NaN) <= 1000);
});

test('Service refuses and counts tables that arrive after the receivers have stopped', async () => {
  const world = createWorld();
  const service = await createService(world, config);
  await service.start();
  await service.shutdown();
  const series = [{ metric: hwEnergy, resource: { attributes: {} }, attributes: {}, start: 0n }];
  const table = createRow(series, 1n, Float64Array.of(5));
  world.events.length = 0;
  assert.equal(world.entries.get('meter')?.consume(table), false);
  assert.deepEqual(world.events, []);
});

test('Service reports the points of a receiver that stops too late', async () => {
  const world = createWorld();
  const receivers = { meter: { hanging: true } };
  const service = await createService(world, {
    ...config,
    receivers,
    exporters: { file: { slow: true }, web: {} },
  });
  await service.start();
  const series = [{ metric: hwEnergy, resource: { attributes: {} }, attributes: {}, start: 0n }];
  const ending = service.shutdown(200);
  await until(() => world.events.includes('stop file'));
  world.entries.get('meter')?.consume(createRow(series, 1n, Float64Array.of(5)));
  await ending;
  assert.equal(world.log.lines.at(-1), 'warn: Dropped 1 points of receivers that did not stop in time');
});

test('Service stops meters before receivers that read usage', async () => {
  const world = createWorld();
  const pipelines = { metrics: { receivers: ['usage', 'meter'], exporters: ['file'] } };
  const receivers = { usage: {}, meter: { slow: true } };
  const service = await createService(world, { receivers, exporters: { file: {} }, service: { pipelines } });
  await service.start();
  await service.shutdown();
  assert.deepEqual(world.events.slice(-4), ['stop meter', 'drained meter', 'stop usage', 'stop file']);
});

test('Service leaves the exporters time to drain when a receiver hangs', async () => {
  const world = createWorld();
  const receivers = { meter: { hanging: true } };
  const service = await createService(world, {
    ...config,
    receivers,
    exporters: { file: { slow: true }, web: {} },
  });
  await service.start();
  await service.shutdown(1000);
  assert.ok(world.events.includes('drained file'));
});
