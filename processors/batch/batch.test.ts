import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { createEnding } from '../../src/model/table.js';
import { schema } from './config.js';
import { factory } from './factory.js';

test('batch takes the settings of the Collector, reports what makes batches, and forwards tables and refusals', async () => {
  const log = createLogCollector();
  const config = parseSettings(schema, { timeout: '5s', send_batch_size: 1000, send_batch_max_size: 2000 });
  const taken: unknown[] = [];
  const processor = factory.create(config, createFakeContext({ log }), {
    consume: (table) => taken.push(table) < 2,
  });
  await processor.start();
  const table = createEnding([], 0n);
  assert.equal(processor.consume(table), true);
  assert.equal(processor.consume(table), false);
  assert.deepEqual(taken, [table, table]);
  assert.match(log.lines.join('\n'), /exporters make batches/u);
});
