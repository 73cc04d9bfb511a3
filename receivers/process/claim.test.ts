import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeClaims } from '../../src/component/claims.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { factory } from './factory.js';

const claims = { ...freeClaims, claim: (key: string) => (key === 'usage' ? 'process/first' : undefined) };
const reason = 'CPU time is published by receiver "process/first", which started first';

test('ProcessReceiver leaves CPU time to the receiver that started first', async () => {
  const log = createLogCollector();
  const next = createTableCollector();
  const receiver = factory.create(
    parseSettings(factory.schema, {}),
    createFakeContext({ claims, log }),
    next,
  );
  await receiver.start();
  await receiver.flush?.();
  await receiver.shutdown();
  const names = new Set(next.tables.flatMap(({ series }) => series.map(({ metric }) => metric.name)));
  assert.deepEqual(
    [names.has('process.memory.usage'), names.has('process.cpu.time'), names.has('system.cpu.busy.time')],
    [true, false, false],
  );
  // In a container, a line about the processes outside it is logged.
  const told = log.lines.filter((line) => line.includes('CPU time'));
  assert.deepEqual(told, [`warn: Leaving out CPU time and busy time: ${reason}`]);
});

test('ProcessReceiver does not start if it should read only CPU time, which another receiver publishes', async () => {
  const config = parseSettings(factory.schema, { metrics: { count: false, memory: false, threads: false } });
  const receiver = factory.create(config, createFakeContext({ claims }), createTableCollector());
  await assert.rejects(async () => receiver.start(), { name: 'UnavailableError', message: reason });
  await receiver.shutdown();
});
