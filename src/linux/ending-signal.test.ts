import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RepeatedSignal } from './ending-signal.js';

test('RepeatedSignal takes every signal after the first for a repetition, unless timeout(1) may have doubled it', () => {
  const repeated = new RepeatedSignal({});
  assert.equal(repeated.note('SIGTERM', 1000), false);
  assert.equal(repeated.note('SIGTERM', 1001), false);
  assert.equal(repeated.note('SIGINT', 1001), true);
  assert.equal(repeated.note('SIGTERM', 1021), true);
});

test('RepeatedSignal waits longer for the copies that npm sends of SIGINT and SIGTERM', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const repeated = new RepeatedSignal({ npm_lifecycle_event: 'start' });
    assert.equal(repeated.note(signal, 1000), false);
    assert.equal(repeated.note(signal, 1250), false);
    assert.equal(repeated.note(signal, 1251), true);
  }
});

test('RepeatedSignal takes SIGHUP from the kernel and from the shell for one', () => {
  const repeated = new RepeatedSignal({});
  assert.equal(repeated.note('SIGHUP', 1000), false);
  assert.equal(repeated.note('SIGHUP', 2000), false);
  assert.equal(repeated.note('SIGTERM', 2000), true);
});
