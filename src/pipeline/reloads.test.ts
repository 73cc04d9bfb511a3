import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createLogCollector } from '../component/fakes.js';
import { nodeOf } from '../config/node.js';
import { validateService } from '../config/service.js';
import { Reloads } from './reloads.js';
import { config, createWorld } from './service.fixture.js';

test('Reloads runs one operation at a time, however many wait for the same end', async () => {
  const [now, most] = [new Set<string>(), { inside: 0 }];
  const work = async (name: string): Promise<void> => {
    now.add(name);
    most.inside = Math.max(most.inside, now.size);
    await nextTurn();
    now.delete(name);
  };
  const reloads = new Reloads(
    {
      logFor: () => createLogCollector(),
      loadConfig: () => validateService(nodeOf(config), createWorld().finder),
    },
    async () => {
      await work('reload');
      return { changes: undefined, settings: [], kept: [] };
    },
  );
  const all = [
    reloads.request(),
    reloads.alone(() => work('first')),
    reloads.alone(() => work('second')),
    reloads.request(),
    reloads.alone(() => work('third')),
  ];
  await Promise.all(all);
  assert.equal(most.inside, 1);
});
