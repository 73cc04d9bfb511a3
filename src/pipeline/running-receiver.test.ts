import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext } from '../component/fakes.js';
import type { ServiceConfig } from '../config/service.js';
import { beginSampling } from './running-receiver.js';

/** How often the thread is started for a receiver with this probe. */
async function countPrepared(samples: boolean, probe: () => object): Promise<number> {
  let count = 0;
  const { clock, meter, host, sampling } = createFakeContext();
  const receiver = { id: 'meter', settings: {}, factory: { probe, ...(samples && { samples }) } };
  const config = {
    receivers: new Map([['meter', receiver]]),
    pipelines: [{ id: 'metrics', receivers: ['meter'] }],
  };
  // The only part of the configuration that is read.
  await beginSampling(config as unknown as ServiceConfig, {
    clock,
    meter,
    host,
    logFor: () => createFakeContext().log,
    sampling: { ...sampling, prepare: () => void count++ },
  });
  return count;
}

function fail(): never {
  throw new Error('no luck');
}

test('beginSampling starts the thread for a receiver that samples and finds its source', async () => {
  assert.equal(await countPrepared(true, () => ({ available: true })), 1);
});

test('beginSampling starts nothing without a source, after a failed probe, and for other receivers', async () => {
  assert.equal(await countPrepared(true, () => ({ available: false })), 0);
  assert.equal(await countPrepared(false, () => ({ available: true })), 0);
  assert.equal(await countPrepared(true, fail), 0);
});
