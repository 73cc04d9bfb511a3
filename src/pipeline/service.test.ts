import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createMeterReader } from '../component/fakes.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { createEnding, createRow } from '../model/table.js';
import { config, createService, createWorld } from './service.fixture.js';

test('Service starts receivers last and stops them first', async () => {
  const world = createWorld();
  const service = await createService(world, config);
  await service.start();
  assert.equal(service.isReady, true);
  await service.shutdown();
  assert.equal(service.isReady, false);
  assert.deepEqual(world.events, [
    'start health',
    'start file',
    'start web',
    'start share',
    'start meter',
    'stop meter',
    'stop share',
    'stop web',
    'stop file',
    'stop health',
  ]);
});

test('Service counts the points that processors and exporters without a queue accept, emit and refuse', async () => {
  const world = createWorld();
  const { meter, read } = createMeterReader();
  const broken = { ...config, exporters: { file: { throwing: true }, web: {} } };
  const service = await createService(world, broken, createFakeContext({ meter }));
  await service.start();
  const series = [{ metric: hwEnergy, resource: { attributes: {} }, attributes: {}, start: 0n }];
  world.entries.get('meter')?.consume(createRow(series, 1n, Float64Array.of(1)));
  await service.shutdown();
  const counts = Object.entries(await read()).filter(([name]) => /processor|exporter/u.test(name));
  assert.deepEqual(Object.fromEntries(counts), {
    'otelcol_processor_incoming_items{share,metrics}': 1,
    'otelcol_processor_outgoing_items{share,metrics}': 1,
    'otelcol_exporter_sent_metric_points{web}': 1,
    // From both pipelines.
    'otelcol_exporter_send_failed_metric_points{file}': 2,
  });
});

test('Service passes every table to all pipelines, which share exporters', async () => {
  const world = createWorld();
  const service = await createService(world, config);
  await service.start();
  world.events.length = 0;
  assert.equal(world.entries.get('meter')?.consume(createEnding([], 0n)), true);
  assert.deepEqual(world.events, ['table at share', 'table at file', 'table at web', 'table at file']);
  await service.shutdown();
});

test('Service continues with the other exporters when one throws, and logs it once', async () => {
  const world = createWorld();
  const service = await createService(world, { ...config, exporters: { file: { throwing: true }, web: {} } });
  await service.start();
  world.events.length = 0;
  assert.equal(world.entries.get('meter')?.consume(createEnding([], 0n)), false);
  assert.equal(world.entries.get('meter')?.consume(createEnding([], 0n)), false);
  assert.equal(world.events.filter((event) => event === 'table at web').length, 2);
  assert.deepEqual(world.log.lines, ['error: Cannot process a table: bad data']);
  await service.shutdown();
});

test('Service runs a fallback when the receiver that it replaces is left out', async () => {
  const world = createWorld();
  const receivers = { meter: { missing: true, start: 'auto' }, guess: { fallback_for: ['meter'] } };
  const pipelines = { metrics: { receivers: ['meter', 'guess'], exporters: ['file'] } };
  const service = await createService(world, { receivers, exporters: { file: {} }, service: { pipelines } });
  await service.start();
  await service.shutdown();
  assert.deepEqual(world.events, ['start file', 'start guess', 'stop guess', 'stop file']);
  assert.deepEqual(world.log.lines, ['info: Left out: no meter; a driver: modprobe meter']);
});

test('Service runs no fallback when the receiver that it replaces runs', async () => {
  const world = createWorld();
  const receivers = { guess: { fallback_for: ['meter'] }, meter: {} };
  const pipelines = { metrics: { receivers: ['guess', 'meter'], exporters: ['file'] } };
  const service = await createService(world, { receivers, exporters: { file: {} }, service: { pipelines } });
  await service.start();
  await service.shutdown();
  assert.deepEqual(world.events, ['start file', 'start meter', 'stop meter', 'stop file']);
  assert.deepEqual(world.log.lines, ['info: Disabled: fallback for "meter", which is running']);
});

test('Service runs a fallback next to a receiver that lacks its main source', async () => {
  const world = createWorld();
  const receivers = { meter: { partial: true }, guess: { fallback_for: ['meter'] } };
  const pipelines = { metrics: { receivers: ['meter', 'guess'], exporters: ['file'] } };
  const service = await createService(world, { receivers, exporters: { file: {} }, service: { pipelines } });
  await service.start();
  await service.shutdown();
  assert.deepEqual(world.events.slice(0, 3), ['start file', 'start meter', 'start guess']);
});

test('Service stops the started components and reports why when a required receiver is missing', async () => {
  const world = createWorld();
  const service = await createService(world, { ...config, receivers: { meter: { missing: true } } });
  await assert.rejects(service.start(), {
    message: 'Cannot start receiver "meter": no meter; a driver: modprobe meter',
  });
  assert.deepEqual(world.events.slice(-4), ['stop share', 'stop web', 'stop file', 'stop health']);
});

test('Service names the component that cannot start', async () => {
  const world = createWorld();
  const service = await createService(world, { ...config, exporters: { file: {}, web: { broken: true } } });
  await assert.rejects(service.start(), { message: 'Cannot start exporter "web": no luck' });
});

test('Service stops a receiver that cannot start', async () => {
  const world = createWorld();
  const service = await createService(world, { ...config, receivers: { meter: { broken: true } } });
  await assert.rejects(service.start(), { message: 'Cannot start receiver "meter": no luck' });
  assert.ok(world.events.includes('stop meter'));
});

test('Service does not start when no receiver is left', async () => {
  const world = createWorld();
  const service = await createService(world, {
    ...config,
    receivers: { meter: { missing: true, start: 'auto' } },
  });
  await assert.rejects(service.start(), {
    message:
      'Cannot start: expected a receiver that can run here, found none in any pipeline; "joulemetry doctor" reports what each needs',
  });
});

test('Service flushes its receivers', async () => {
  const world = createWorld();
  const service = await createService(world, config);
  await service.start();
  await service.flush();
  assert.ok(world.events.includes('flush meter'));
  await service.shutdown();
});
