import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogCollector } from '../../src/component/fakes.js';
import type { FoundTarget } from './plan.js';
import { TargetWatch } from './target-watch.js';

function createWatch() {
  const found: FoundTarget[] = [];
  const counted: string[] = [];
  const problems: string[] = [];
  const log = createLogCollector();
  const watch = new TargetWatch({
    intervalMs: 1_000_000,
    context: { log },
    find: () => Promise.resolve([...found]),
    count(targets) {
      const problem = problems.shift();
      if (problem !== undefined) return Promise.reject(new Error(problem));
      counted.push(targets.map(({ key }) => key).join(' '));
      return Promise.resolve();
    },
  });
  const add = (key: string) =>
    found.push({ key, name: key, target: { kind: 'machine' }, resource: { attributes: {} } });
  return { watch, found, counted, problems, log, add };
}

test('TargetWatch counts the found targets whenever they have changed', async () => {
  const { watch, found, counted, add } = createWatch();
  await watch.start();
  add('a');
  await watch.look();
  add('b');
  await watch.look();
  await watch.look();
  found.shift();
  add('c');
  await watch.look();
  await watch.stop();
  await watch.stop();
  assert.deepEqual(counted, ['a', 'a b', 'b c']);
});

test('TargetWatch warns once about searches that fail in the same way, and continues', async () => {
  const { watch, counted, problems, log, add } = createWatch();
  problems.push('EACCES', 'EACCES');
  add('a');
  await watch.start();
  for (let look = 0; look < 3; look++) await watch.look();
  await watch.stop();
  assert.deepEqual(log.lines, ['warn: Cannot look for what to count: EACCES']);
  assert.deepEqual(counted, ['a']);
});
