import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Consumer } from '../component/consumer.js';
import type { FactoryFinder } from '../component/find.js';
import type { ConfigOf, Schema } from '../component/schema.js';
import { validateService } from '../config/service.js';
import { nodeOf } from '../config/node.js';
import {
  createFakeContext,
  createLogCollector,
  type LogCollector,
  createMeterReader,
} from '../component/fakes.js';
import { until } from '../testing/until.js';
import { busyTime, hwEnergy } from '../model/shared-metrics.js';
import { createEnding, createRow } from '../model/table.js';
import { Service } from './service.js';

interface World {
  /** What happened, in order. */
  readonly events: string[];
  readonly entries: Map<string, Consumer>;
  /** How many milliseconds each had to stop. */
  readonly limits: Map<string, number>;
  readonly log: LogCollector;
  readonly finder: FactoryFinder;
}

const schema = {
  missing: { doc: 'Whether the source is missing.', format: 'boolean', default: false },
  broken: { doc: 'Whether it cannot start.', format: 'boolean', default: false },
  partial: { doc: 'Whether it lacks its main thing.', format: 'boolean', default: false },
  throwing: { doc: 'Whether it throws at every table.', format: 'boolean', default: false },
  hanging: { doc: 'Whether it never stops.', format: 'boolean', default: false },
  slow: { doc: 'Whether it takes a moment to stop.', format: 'boolean', default: false },
} as const satisfies Schema;

type Settings = ConfigOf<typeof schema>;

function createWorld(): World {
  const events: string[] = [];
  const entries = new Map<string, Consumer>();
  const limits = new Map<string, number>();
  const component = (name: string, settings: Settings, next?: Consumer) => ({
    isPartial: settings.partial,
    start() {
      events.push(`start ${name}`);
      if (settings.broken) throw new Error('no luck');
    },
    flush: () => void events.push(`flush ${name}`),
    async shutdown(timeoutMs = NaN) {
      events.push(`stop ${name}`);
      limits.set(name, timeoutMs);
      if (settings.hanging) await new Promise(() => {});
      if (!settings.slow) return;
      await setTimeout(10);
      events.push(`drained ${name}`);
    },
    consume(table: Parameters<Consumer['consume']>[0]) {
      events.push(`table at ${name}`);
      if (settings.throwing) throw new Error('bad data');
      return next ? next.consume(table) : true;
    },
  });
  const factories = {
    receiver: {
      schema,
      metrics: [],
      probe: (config: Settings) => ({
        available: !config.missing,
        found: config.missing ? 'no meter' : 'a meter',
        remedies: config.missing ? [{ missing: 'a driver', command: 'modprobe meter' }] : [],
      }),
      create(config: Settings, { id }: { id: string }, next: Consumer) {
        entries.set(id, next);
        return component(id, config);
      },
    },
    processor: {
      schema,
      create: (config: Settings, { id }: { id: string }, next: Consumer) => component(id, config, next),
    },
    exporter: { schema, create: (config: Settings, { id }: { id: string }) => component(id, config) },
    extension: { schema, create: (config: Settings, { id }: { id: string }) => component(id, config) },
  };
  // The schema above gives these factories exactly what they ask for.
  const finder = {
    list: () => [],
    find: (kind: keyof typeof factories, type: string) =>
      Promise.resolve(type === 'usage' ? { ...factories.receiver, metrics: [busyTime] } : factories[kind]),
  } as unknown as FactoryFinder;
  return { events, entries, limits, log: createLogCollector(), finder };
}

async function createService(world: World, config: object, context = createFakeContext()): Promise<Service> {
  const { clock, meter, host, sampling } = context;
  const validated = await validateService(nodeOf(config), world.finder);
  return new Service(validated, { clock, meter, host, sampling: { ...sampling }, logFor: () => world.log });
}

const config = {
  receivers: { meter: {} },
  processors: { share: {} },
  exporters: { file: {}, web: {} },
  extensions: { health: {} },
  service: {
    extensions: ['health'],
    pipelines: {
      metrics: { receivers: ['meter'], processors: ['share'], exporters: ['file', 'web'] },
      'metrics/raw': { receivers: ['meter'], exporters: ['file'] },
    },
  },
};

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

test('Service counts what processors and exporters without a queue take, give and refuse', async () => {
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
    // By both pipelines.
    'otelcol_exporter_send_failed_metric_points{file}': 2,
  });
});

test('Service hands every table to all pipelines, exporters shared', async () => {
  const world = createWorld();
  const service = await createService(world, config);
  await service.start();
  world.events.length = 0;
  assert.equal(world.entries.get('meter')?.consume(createEnding([], 0n)), true);
  assert.deepEqual(world.events, ['table at share', 'table at file', 'table at web', 'table at file']);
  await service.shutdown();
});

test('Service goes on with the others, when one exporter throws, and says so once', async () => {
  const world = createWorld();
  const service = await createService(world, { ...config, exporters: { file: { throwing: true }, web: {} } });
  await service.start();
  world.events.length = 0;
  assert.equal(world.entries.get('meter')?.consume(createEnding([], 0n)), false);
  assert.equal(world.entries.get('meter')?.consume(createEnding([], 0n)), false);
  assert.equal(world.events.filter((event) => event === 'table at web').length, 2);
  assert.deepEqual(world.log.lines, ['error: Cannot take a table: bad data']);
  await service.shutdown();
});

test('Service runs a fallback, when what it stands in for is left out', async () => {
  const world = createWorld();
  const receivers = { meter: { missing: true, start: 'auto' }, guess: { fallback_for: ['meter'] } };
  const pipelines = { metrics: { receivers: ['meter', 'guess'], exporters: ['file'] } };
  const service = await createService(world, { receivers, exporters: { file: {} }, service: { pipelines } });
  await service.start();
  await service.shutdown();
  assert.deepEqual(world.events, ['start file', 'start guess', 'stop guess', 'stop file']);
  assert.deepEqual(world.log.lines, ['info: Left out: no meter; a driver: modprobe meter']);
});

test('Service runs no fallback, when what it stands in for runs', async () => {
  const world = createWorld();
  const receivers = { guess: { fallback_for: ['meter'] }, meter: {} };
  const pipelines = { metrics: { receivers: ['guess', 'meter'], exporters: ['file'] } };
  const service = await createService(world, { receivers, exporters: { file: {} }, service: { pipelines } });
  await service.start();
  await service.shutdown();
  assert.deepEqual(world.events, ['start file', 'start meter', 'stop meter', 'stop file']);
  assert.deepEqual(world.log.lines, ['info: Disabled: fallback for "meter", which is running']);
});

test('Service runs a fallback beside a receiver that lacks the main thing it is to read', async () => {
  const world = createWorld();
  const receivers = { meter: { partial: true }, guess: { fallback_for: ['meter'] } };
  const pipelines = { metrics: { receivers: ['meter', 'guess'], exporters: ['file'] } };
  const service = await createService(world, { receivers, exporters: { file: {} }, service: { pipelines } });
  await service.start();
  await service.shutdown();
  assert.deepEqual(world.events.slice(0, 3), ['start file', 'start meter', 'start guess']);
});

test('Service stops what it started and says why, when a required receiver is missing', async () => {
  const world = createWorld();
  const service = await createService(world, { ...config, receivers: { meter: { missing: true } } });
  await assert.rejects(service.start(), {
    message: 'Cannot start receiver "meter": no meter; a driver: modprobe meter',
  });
  assert.deepEqual(world.events.slice(-4), ['stop share', 'stop web', 'stop file', 'stop health']);
});

test('Service names the component, when one cannot start', async () => {
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

test('Service does not start, when no receiver is left', async () => {
  const world = createWorld();
  const service = await createService(world, {
    ...config,
    receivers: { meter: { missing: true, start: 'auto' } },
  });
  await assert.rejects(service.start(), {
    message: 'Cannot start: expected a receiver that can run here, found none in any pipeline',
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

test('Service shuts down once, when it is asked twice, and without a start', async () => {
  const world = createWorld();
  const service = await createService(world, config);
  await service.shutdown();
  await service.shutdown();
  assert.deepEqual(world.events, []);
});

test('Service lets every exporter drain, when another one hangs', async () => {
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

test('Service tells each component how long it may take to stop', async () => {
  const world = createWorld();
  const service = await createService(world, config);
  await service.start();
  await service.shutdown(1000);
  const { limits } = world;
  assert.ok((limits.get('meter') ?? NaN) <= 350);
  assert.ok((limits.get('file') ?? NaN) <= 950);
  assert.ok((limits.get('health') ?? NaN) <= 1000);
});

test('Service refuses and counts tables that come after the receivers have stopped', async () => {
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

test('Service reports the points of a receiver that comes too late', async () => {
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

test('Service stops meters before receivers that read who used the machine', async () => {
  const world = createWorld();
  const pipelines = { metrics: { receivers: ['usage', 'meter'], exporters: ['file'] } };
  const receivers = { usage: {}, meter: { slow: true } };
  const service = await createService(world, { receivers, exporters: { file: {} }, service: { pipelines } });
  await service.start();
  await service.shutdown();
  assert.deepEqual(world.events.slice(-4), ['stop meter', 'drained meter', 'stop usage', 'stop file']);
});

test('Service leaves the exporters time to drain, when a receiver hangs', async () => {
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
