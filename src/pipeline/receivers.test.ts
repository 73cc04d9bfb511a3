import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReceiverFactory } from '../component/component.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../component/fakes.js';
import type { FactoryFinder } from '../component/find.js';
import type { Schema } from '../component/schema.js';
import { nodeOf } from '../config/node.js';
import { validateService, type ServiceConfig } from '../config/service.js';
import { UnavailableError } from '../errors.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { createRow } from '../model/table.js';
import { ClaimRegistry } from './claims.js';
import { ReceiverSet } from './receivers.js';
import { Slot } from './slot.js';
import { Statuses } from './statuses.js';

const schema = {
  missing: { doc: 'Whether the source is missing.', format: 'boolean', default: false },
} as const satisfies Schema;

/** A receiver that claims sockets and cannot run without any of them. */
function createMeter(
  keys: readonly string[],
  yields?: ReceiverFactory['yields'],
): ReceiverFactory<typeof schema> {
  return {
    schema,
    metrics: [],
    ...(yields && { yields }),
    probe: ({ missing }) => ({ available: !missing, found: 'a meter', remedies: [] }),
    create: (_, { id, claims, log }) => ({
      start() {
        const owners = keys.map((key) => claims.claim(key));
        if (!owners.includes(undefined)) throw new UnavailableError(`"${owners[0]}" has ${keys[0]}`);
        for (const [i, key] of keys.entries()) if (owners[i] === undefined) log.info(`${id} has ${key}`);
      },
      shutdown() {},
    }),
  };
}

const asking: ReceiverFactory<typeof schema> = {
  ...createMeter([]),
  create: (_, { isConsumed }) => ({ start: () => void isConsumed?.(hwEnergy), shutdown() {} }),
};

const lastSeries = [{ metric: hwEnergy, resource: { attributes: {} }, attributes: {}, start: 0n }];

/** A model that takes a last reading when it is stopped. */
const lasting: ReceiverFactory<typeof schema> = {
  ...createMeter([], 'model'),
  metrics: [hwEnergy],
  create: (_, { claims }, next) => ({
    start: () => void claims.claim('energy/cpu'),
    shutdown: () => void next.consume(createRow(lastSeries, 1n, Float64Array.of(1))),
  }),
};

const breaking: ReceiverFactory<typeof schema> = {
  ...createMeter([]),
  create: () => ({
    start() {
      throw new Error('no luck');
    },
    shutdown() {},
  }),
};

const factories: Readonly<Record<string, ReceiverFactory<typeof schema>>> = {
  asking,
  breaking,
  lasting,
  rapl: createMeter(['energy/cpu/0']),
  pair: createMeter(['energy/cpu/0', 'energy/cpu/1']),
  hwmon: createMeter(['energy/cpu/0'], 'board'),
  estimate: createMeter(['energy/cpu'], 'model'),
};

// The types used below are those above.
const finder = {
  list: () => [],
  find: (kind: string, type: string) =>
    Promise.resolve(kind === 'receiver' ? factories[type] : { schema: {}, create() {} }),
} as unknown as FactoryFinder;

type Receivers = Readonly<Record<string, object>>;

/** Each receiver is in its own pipeline: claims hold for the whole collector. */
function configure(receivers: Receivers): Promise<ServiceConfig> {
  const pipelines = Object.fromEntries(
    Object.keys(receivers).map((id) => [
      `metrics/${id.replace('/', '-')}`,
      { receivers: [id], exporters: ['file'] },
    ]),
  );
  return validateService(nodeOf({ receivers, exporters: { file: {} }, service: { pipelines } }), finder);
}

function createSet(claims = new ClaimRegistry(), isConsumed = () => false) {
  const log = createLogCollector();
  const { clock, meter, host, sampling } = createFakeContext();
  const route = new Slot();
  const graph = { routeOf: () => route, findExporters: () => [], isConsumed, claims };
  const set = new ReceiverSet(
    { logFor: () => log, clock, meter, host, sampling },
    { graph, statuses: new Statuses(), before: (next) => next, checkRunning() {} },
  );
  /** @returns the lines logged meanwhile */
  const change = async (receivers: Receivers) => {
    log.lines.length = 0;
    const config = await configure(receivers);
    for (const gone of set.findGone(config)) {
      await gone.component.shutdown();
      set.forget(gone);
    }
    await set.start(config, fail);
    return [...log.lines];
  };
  return { set, change, route };
}

function fail(error: unknown): never {
  throw error;
}

function start(receivers: Receivers, claims?: ClaimRegistry): Promise<readonly string[]> {
  return createSet(claims).change(receivers);
}

function idsOf(set: ReceiverSet): readonly string[] {
  return set.running.map(({ id }) => id);
}

test('ReceiverSet gives a claim of two receivers to the first one in the configuration', async () => {
  assert.deepEqual(await start({ 'rapl/b': { start: 'auto' }, 'rapl/a': { start: 'auto' } }), [
    'info: rapl/b has energy/cpu/0',
    'info: Left out: "rapl/b" has energy/cpu/0',
  ]);
});

test('ReceiverSet completes the claims when every receiver has started', async () => {
  const claims = new ClaimRegistry();
  const starting = start({ rapl: { start: 'auto' } }, claims);
  assert.equal(claims.isComplete, false);
  await starting;
  assert.equal(claims.isComplete, true);
  assert.equal(claims.ownerOf('energy/cpu/0'), 'rapl');
});

test('ReceiverSet completes the claims when a receiver cannot start, so that nothing waits for it', async () => {
  const claims = new ClaimRegistry();
  await assert.rejects(
    start({ rapl: {}, breaking: {} }, claims),
    /Cannot start receiver "breaking": no luck/u,
  );
  assert.equal(claims.isComplete, true);
});

test('ReceiverSet forwards the last reading of a restarted receiver before it ends its series', async () => {
  const { change, route } = createSet();
  await change({ lasting: {} });
  const collector = createTableCollector();
  route.target = collector;
  await change({ lasting: {}, rapl: {} });
  assert.deepEqual(
    collector.tables.map(({ values, ended }) => [values.length, ended]),
    [
      [1, undefined],
      [0, lastSeries],
    ],
  );
});

test('ReceiverSet starts a model after the meters to which it yields', async () => {
  assert.deepEqual(await start({ estimate: { start: 'auto' }, rapl: {} }), [
    'info: rapl has energy/cpu/0',
    'info: Left out: "rapl" has energy/cpu',
  ]);
});

test('ReceiverSet starts a meter of boards between the meters of components and the models', async () => {
  const optional = { start: 'auto' };
  assert.deepEqual(await start({ estimate: optional, hwmon: optional, rapl: {} }), [
    'info: rapl has energy/cpu/0',
    'info: Left out: "rapl" has energy/cpu/0',
    'info: Left out: "rapl" has energy/cpu',
  ]);
  assert.deepEqual(await start({ estimate: optional, hwmon: optional }), [
    'info: hwmon has energy/cpu/0',
    'info: Left out: "hwmon" has energy/cpu',
  ]);
});

test('ReceiverSet fails when a required receiver has nothing left to publish', async () => {
  await assert.rejects(start({ rapl: {}, 'rapl/second': {} }), {
    message: 'Cannot start receiver "rapl/second": "rapl" has energy/cpu/0',
  });
});

const optional = { start: 'auto' };

test('ReceiverSet does not touch running receivers with equal settings, and logs nothing about them', async () => {
  const { set, change } = createSet();
  await change({ rapl: {} });
  const [before] = set.running;
  assert.deepEqual(await change({ rapl: {} }), []);
  assert.equal(set.running[0]?.component, before?.component);
});

test('ReceiverSet gives the claims of a removed receiver to one that was left out because of it', async () => {
  const { set, change } = createSet();
  await change({ rapl: {}, estimate: optional });
  assert.deepEqual(idsOf(set), ['rapl']);
  assert.deepEqual(await change({ estimate: optional }), ['info: estimate has energy/cpu']);
  assert.deepEqual(idsOf(set), ['estimate']);
});

test('ReceiverSet restarts a model when a meter to which it yields is added', async () => {
  const { set, change } = createSet();
  await change({ estimate: optional });
  assert.deepEqual(await change({ estimate: optional, rapl: {} }), [
    'info: rapl has energy/cpu/0',
    'info: Restarting: what it may publish has changed',
    'info: Left out: "rapl" has energy/cpu',
  ]);
  assert.deepEqual(idsOf(set), ['rapl']);
});

test('ReceiverSet restarts a running receiver that was refused claims of a removed one', async () => {
  const { set, change } = createSet();
  await change({ rapl: {}, pair: {} });
  assert.deepEqual(idsOf(set), ['rapl', 'pair']);
  assert.deepEqual(await change({ pair: {} }), [
    'info: Restarting: what it may publish has changed',
    'info: pair has energy/cpu/0',
    'info: pair has energy/cpu/1',
  ]);
});

test('ReceiverSet lets a receiver keep its claims when an earlier one is added', async () => {
  const { set, change } = createSet();
  await change({ rapl: optional });
  assert.deepEqual(await change({ 'rapl/first': optional, rapl: optional }), [
    'info: Left out: "rapl" has energy/cpu/0',
  ]);
  assert.deepEqual(idsOf(set), ['rapl']);
});

test('ReceiverSet stops a fallback when the receiver that it replaces starts to run, and starts it again afterwards', async () => {
  const { set, change } = createSet();
  const guess = { 'pair/guess': { fallback_for: ['rapl'] } };
  await change({ rapl: { ...optional, missing: true }, ...guess });
  assert.deepEqual(idsOf(set), ['pair/guess']);
  await change({ rapl: optional, ...guess });
  assert.deepEqual(idsOf(set), ['rapl']);
  await change({ rapl: { ...optional, missing: true }, ...guess });
  assert.deepEqual(idsOf(set), ['pair/guess']);
});

test('ReceiverSet restarts a receiver when one of its metrics for a processor starts to be consumed', async () => {
  let isConsumed = false;
  const { set, change } = createSet(new ClaimRegistry(), () => isConsumed);
  await change({ asking: {} });
  const [before] = set.running;
  await change({ asking: {} });
  assert.equal(set.running[0]?.component, before?.component);
  isConsumed = true;
  await change({ asking: {} });
  assert.notEqual(set.running[0]?.component, before?.component);
});
