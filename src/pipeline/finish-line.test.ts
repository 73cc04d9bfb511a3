import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FinishLine } from './finish-line.js';

function createLine() {
  const calls: string[] = [];
  return { calls, line: new FinishLine(() => calls.push('finished')) };
}

test('FinishLine tells once, when the last one that is expected has finished', () => {
  const { calls, line } = createLine();
  line.expect(['replay', 'replay/second']);
  line.cross('replay');
  line.cross('replay');
  assert.deepEqual(calls, []);
  line.cross('replay/second');
  assert.deepEqual(calls, ['finished']);
});

test('FinishLine tells, when all finished before anybody was expected', () => {
  const { calls, line } = createLine();
  line.cross('replay');
  assert.deepEqual(calls, []);
  line.expect(['replay']);
  assert.deepEqual(calls, ['finished']);
});

test('FinishLine does not tell, when somebody else goes on', () => {
  const { calls, line } = createLine();
  line.expect(['replay', 'process']);
  line.cross('replay');
  assert.deepEqual(calls, []);
});
