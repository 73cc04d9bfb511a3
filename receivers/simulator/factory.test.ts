import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeClaims } from '../../src/component/claims.js';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { schema } from './config.js';
import { factory } from './factory.js';

const settings = (value: object) => parseSettings(schema, value);

test('the simulator does not start beside a receiver that measures the real machine', async () => {
  const claims = { ...freeClaims, claim: (key: string) => (key === 'usage' ? 'process' : 'rapl') };
  const receiver = factory.create(
    settings({}),
    createFakeContext({ claims, id: 'simulator' }),
    createTableCollector(),
  );
  await assert.rejects(async () => receiver.start(), {
    name: 'UnavailableError',
    message:
      'expected no other machine in the pipelines, found receiver "rapl" and "process"; remove one of them from all pipelines',
  });
  await receiver.shutdown();
});

test('the simulator refuses a fault of a domain or CPU that the machine has not', () => {
  const schedule = [{ kind: 'reset' }, { kind: 'dead', domain: 'dram-2' }, { kind: 'offline', cpu: 8 }];
  assert.deepEqual(factory.check?.(settings({ faults: { schedule }, sockets: 1, gpus: 0 })), [
    'faults.schedule[1].domain: expected one of package-0, core-0, uncore-0, dram-0, psys, found "dram-2"',
    'faults.schedule[2].cpu: expected 0 to 7, found 8',
  ]);
});

test('the simulator refuses shares of faults that make up more than all readings', () => {
  assert.deepEqual(factory.check?.(settings({ faults: { torn: 0.5, failed: 0.4, empty: 0.2 } })), [
    'faults: expected torn, failed and empty to make up at most 1, found more',
  ]);
});

test('the simulator says in its probe which domains it has', async () => {
  const { available, found } = await factory.probe(settings({ sockets: 1 }), createFakeContext());
  assert.deepEqual(
    [available, found],
    [
      true,
      'a simulated machine: package-0, core-0, uncore-0, dram-0, psys, gpu-0; starts only if no other receiver measures',
    ],
  );
});
