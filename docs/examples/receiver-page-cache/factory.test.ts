import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext, createTableCollector, parseSettings } from 'joulemetry/plugin';
import { factory } from './factory.js';

test('page_cache reads three gauges of /proc/meminfo in bytes', async (t) => {
  const procfs = mkdtempSync(join(tmpdir(), 'page-cache-'));
  t.after(() => rmSync(procfs, { recursive: true }));
  writeFileSync(join(procfs, 'meminfo'), 'Dirty: 3 kB\nWriteback: 0 kB\nMapped: 70000 kB\n');
  const collector = createTableCollector();
  const receiver = factory.create(parseSettings(factory.schema, { procfs }), createFakeContext(), collector);
  await receiver.start();
  await receiver.flush?.();
  await receiver.shutdown();
  const [dirty, writeback, mapped] = factory.metrics.map(({ name }) => collector.last(name)[0]?.value);
  assert.deepEqual([dirty, writeback, mapped], [3072, 0, 71_680_000]);
});
