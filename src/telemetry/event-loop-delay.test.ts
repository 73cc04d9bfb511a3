import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventLoopDelay } from './event-loop-delay.js';

test('EventLoopDelay tells by how much its timer was late, and starts again', () => {
  const delay = new EventLoopDelay(5000);
  assert.equal(delay.take(), undefined);
  delay.measure(6010);
  delay.measure(7040);
  assert.deepEqual(delay.take(), { mean: 0.02, max: 0.03 });
  assert.equal(delay.take(), undefined);
  delay.close();
});
