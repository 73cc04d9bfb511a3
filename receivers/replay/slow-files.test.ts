import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { blockPool } from '../../src/testing/block-pool.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { describeTables, threeLines, threeTables, writeFile } from './replay.fixture.js';

/** A replay of a file on a disk that does not answer, which holds every thread that reads files. */
async function startSlowly(t: TestContext) {
  const files = [writeFile('slow.json', threeLines)];
  const release = blockPool(createFolder());
  t.after(release);
  const running = await startReceiver(t, factory, { files, at_end: 'wait' });
  // The main thread goes on, however long it takes.
  for (let turns = 0; turns < 100; turns++) await sleep(1);
  assert.deepEqual([running.collector.tables, running.log.lines], [[], []]);
  return { ...running, release };
}

test('a file on a disk that answers late is read whole, and meanwhile the main thread goes on', async (t) => {
  const { release, collector, log } = await startSlowly(t);
  await release();
  await until(() => log.lines.length > 0);
  assert.deepEqual(describeTables(collector.tables), threeTables);
  assert.deepEqual(log.lines, ['info: Replayed 3 points of 1 file']);
});

test('a file on a disk that does not answer keeps no replay from its end', async (t) => {
  const { receiver, collector, log } = await startSlowly(t);
  await receiver.shutdown();
  assert.deepEqual([collector.tables, log.lines], [[], []]);
});
