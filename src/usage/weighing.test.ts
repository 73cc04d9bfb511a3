import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byFrequency, raiseFrequency } from './weighing.js';

test('raiseFrequency leaves a package unchanged on which nothing was counted', () => {
  const none = { weight: byFrequency, whole: 0, parts: [0], byTime: 0 } as const;
  assert.deepEqual(raiseFrequency(none, { busyNs: 0, cpuNs: [0] }, 2), none);
});
