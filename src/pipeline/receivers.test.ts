import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReceiverFactory } from '../component/component.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../component/fakes.js';
import type { FactoryFinder } from '../component/find.js';
import { nodeOf } from '../config/node.js';
import { validateService } from '../config/service.js';
import { UnavailableError } from '../errors.js';
import { ClaimRegistry } from './claims.js';
import { startReceivers } from './receivers.js';
import { Statuses } from './statuses.js';

/** A receiver that claims a socket and can do nothing without it. */
function createMeter(key: string, yields?: ReceiverFactory['yields']): ReceiverFactory {
  return {
    schema: {},
    metrics: [],
    ...(yields && { yields }),
    probe: () => ({ available: true, found: '', remedies: [] }),
    create: (_, { id, claims, log }) => ({
      start() {
        const owner = claims.claim(key);
        if (owner !== undefined) throw new UnavailableError(`"${owner}" has ${key}`);
        log.info(`${id} has ${key}`);
      },
      shutdown() {},
    }),
  };
}

const factories: Readonly<Record<string, ReceiverFactory>> = {
  rapl: createMeter('energy/cpu/0'),
  hwmon: createMeter('energy/cpu/0', 'board'),
  estimate: createMeter('energy/cpu', 'model'),
};

// The types used below are those above.
const finder = {
  list: () => [],
  find: (kind: string, type: string) =>
    Promise.resolve(kind === 'receiver' ? factories[type] : { schema: {}, create() {} }),
} as unknown as FactoryFinder;

async function start(
  receivers: Readonly<Record<string, object>>,
  claims = new ClaimRegistry(),
): Promise<readonly string[]> {
  // Each receiver in a pipeline of its own: claims hold for the whole collector.
  const pipelines = Object.fromEntries(
    Object.keys(receivers).map((id, i) => [`metrics/${i}`, { receivers: [id], exporters: ['file'] }]),
  );
  const config = await validateService(
    nodeOf({ receivers, exporters: { file: {} }, service: { pipelines } }),
    finder,
  );
  const log = createLogCollector();
  const { clock, meter, host, sampling } = createFakeContext();
  await startReceivers(
    config,
    { logFor: () => log, clock, meter, host, sampling },
    {
      findEntry: () => createTableCollector(),
      findExporters: () => [],
      isConsumed: () => false,
      claims,
      statuses: new Statuses(),
    },
  );
  return log.lines;
}

test('startReceivers gives what two receivers claim to the first of the configuration', async () => {
  assert.deepEqual(await start({ 'rapl/b': { start: 'auto' }, 'rapl/a': { start: 'auto' } }), [
    'info: rapl/b has energy/cpu/0',
    'info: Left out: "rapl/b" has energy/cpu/0',
  ]);
});

test('startReceivers completes the claims when every receiver has started', async () => {
  const claims = new ClaimRegistry();
  const starting = start({ rapl: { start: 'auto' } }, claims);
  assert.equal(claims.isComplete, false);
  await starting;
  assert.equal(claims.isComplete, true);
  assert.equal(claims.ownerOf('energy/cpu/0'), 'rapl');
});

test('startReceivers starts a model after the meters to which it yields', async () => {
  assert.deepEqual(await start({ estimate: { start: 'auto' }, rapl: {} }), [
    'info: rapl has energy/cpu/0',
    'info: Left out: "rapl" has energy/cpu',
  ]);
});

test('startReceivers starts a meter of boards between the meters of components and the models', async () => {
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

test('startReceivers fails, when a required receiver has nothing left to publish', async () => {
  await assert.rejects(start({ rapl: {}, 'rapl/second': {} }), {
    message: 'Cannot start receiver "rapl/second": "rapl" has energy/cpu/0',
  });
});
