import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDuration } from './duration.js';

test('describeDuration gives the two largest units', () => {
  assert.equal(describeDuration(12.9), '12 s');
  assert.equal(describeDuration(184), '3 min 04 s');
  assert.equal(describeDuration(7500), '2 h 05 min');
});
