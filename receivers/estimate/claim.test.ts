import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { createFakeContext, createTableCollector } from '../../src/contract/fakes.js';
import { factory } from './factory.js';

test('EstimateReceiver does not start beside a meter of the CPUs, and says how that is configured', async () => {
  const asked: string[] = [];
  const claims = {
    claim(key: string) {
      asked.push(key);
      return 'rapl';
    },
  };
  const config = parseSettings(factory.schema, {});
  const receiver = factory.create(config, createFakeContext({ claims }), createTableCollector());
  assert.throws(() => receiver.start(), {
    name: 'UnavailableError',
    message:
      'the energy of the CPUs is published by receiver "rapl"; fallback_for: [rapl] says that this is meant',
  });
  assert.deepEqual(asked, ['energy/cpu']);
  await receiver.shutdown();
});
