import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readHeapBytes } from '../../src/testing/allocation.fixture.js';
import type { Names } from './lookup.js';
import { rowOf, seriesOf } from './names.fixture.js';
import { WorkloadNames } from './workload-names.js';

/** A source that knows nothing. */
const silent: Names = {
  start: () => undefined,
  hold: () => () => undefined,
  find: () => new Promise(() => undefined),
  close: () => undefined,
};

test('workload_names keeps nothing of tables that it cannot hold', async (t) => {
  const options = { maxWaitMs: 1, maxHeldPoints: 1000, onDecision: () => undefined };
  const processor = new WorkloadNames(silent, options, { consume: () => true });
  t.after(() => processor.shutdown());
  let round = 0;
  const consumeMany = async (rounds: number) => {
    for (const end = round + rounds; round < end; round += 1) {
      const series = Array.from({ length: 1000 }, (_, i) => seriesOf({ 'container.id': `${round}-${i}` }));
      processor.consume({ ...rowOf(...series), ended: series });
      await sleep(2);
    }
    return readHeapBytes();
  };
  await consumeMany(20);
  const before = await consumeMany(20);
  const after = await consumeMany(40);
  // What the last tables hold until they are given up takes up to 2 MB. If all were kept, it would be 38 MB.
  assert.ok(after - before < 6_000_000, `${after - before} bytes more`);
});
