import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeClaims } from '../../src/component/claims.js';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { factory } from './factory.js';

test('EstimateReceiver does not start beside a meter of the CPUs, and reports how that is configured', async () => {
  const asked: string[] = [];
  const claims = {
    ...freeClaims,
    claim(key: string) {
      asked.push(key);
      return 'rapl';
    },
  };
  const config = parseSettings(factory.schema, {});
  const receiver = factory.create(config, createFakeContext({ claims }), createTableCollector());
  await assert.rejects(async () => receiver.start(), {
    name: 'UnavailableError',
    message:
      'the energy of the CPUs is published by receiver "rapl"; to run this one only in its place, set "fallback_for: [rapl]"',
  });
  assert.deepEqual(asked, ['energy/cpu']);
  await receiver.shutdown();
});

test('EstimateReceiver does not start beside a meter of the whole host', async () => {
  const claims = { ...freeClaims, claim: (key: string) => (key === 'energy/host' ? 'hwmon' : undefined) };
  const config = parseSettings(factory.schema, {});
  const receiver = factory.create(config, createFakeContext({ claims }), createTableCollector());
  await assert.rejects(async () => receiver.start(), {
    message:
      'the energy of the host is published by receiver "hwmon"; to run this one only in its place, set "fallback_for: [hwmon]"',
  });
  await receiver.shutdown();
});
