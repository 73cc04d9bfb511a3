import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogCollector } from '../../src/contract/fakes.js';
import type { FoundTarget } from './find-targets.js';
import { TargetWatch } from './target-watch.js';

function createWatch() {
  const found: FoundTarget[] = [];
  const events: string[] = [];
  const log = createLogCollector();
  const watch = new TargetWatch({
    intervalMs: 1_000_000,
    context: { log },
    find: () => [...found],
    count({ name }) {
      if (name.startsWith('bad')) return Promise.reject(new Error('EACCES'));
      events.push(`count ${name}`);
      return Promise.resolve({
        flush: () => Promise.resolve(void events.push(`flush ${name}`)),
        stop: (isGone) => Promise.resolve(void events.push(`stop ${name} ${isGone}`)),
      });
    },
  });
  const add = (name: string) =>
    found.push({ key: name, name, target: { kind: 'machine' }, resource: { attributes: {} } });
  return { watch, found, events, log, add };
}

test('TargetWatch counts what comes, once, and ends what goes', async () => {
  const { watch, found, events, add } = createWatch();
  add('a');
  await watch.start();
  add('b');
  await watch.look();
  await watch.look();
  found.shift();
  await watch.look();
  await watch.flush();
  await watch.stop();
  await watch.stop();
  assert.deepEqual(events, ['count a', 'count b', 'stop a true', 'flush b', 'stop b false']);
});

test('TargetWatch tells once of what cannot be counted, and does not try it again', async () => {
  const { watch, log, add, events } = createWatch();
  add('bad 1');
  add('bad 2');
  add('good');
  await watch.start();
  await watch.look();
  await watch.stop();
  assert.deepEqual(
    log.lines.filter((line) => line.startsWith('warn')),
    ['warn: Cannot count bad 1: EACCES'],
  );
  assert.deepEqual(events, ['count good', 'stop good false']);
});

test('TargetWatch goes on, when looking failed', async () => {
  const { watch, found, log, events, add } = createWatch();
  const broken = new Proxy([], {
    get() {
      throw new Error('no procfs');
    },
  });
  await watch.start();
  found.push(...([broken] as unknown as FoundTarget[]));
  await watch.look();
  found.pop();
  add('a');
  await watch.look();
  await watch.stop();
  assert.deepEqual(log.lines.slice(0, 1), ['warn: Cannot look for what to count: no procfs']);
  assert.deepEqual(events, ['count a', 'stop a false']);
});
