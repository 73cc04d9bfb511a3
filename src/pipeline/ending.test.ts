import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTableCollector } from '../component/fakes.js';
import { createRow } from '../model/table.js';
import { FinishLine, Gate, readFullest, waitForDelivery } from './ending.js';

function createLine() {
  const calls: string[] = [];
  return { calls, line: new FinishLine(() => calls.push('finished')) };
}

test('FinishLine reports once, when the last expected receiver has finished', () => {
  const { calls, line } = createLine();
  line.expect(['replay', 'replay/second']);
  line.cross('replay');
  line.cross('replay');
  assert.deepEqual(calls, []);
  line.cross('replay/second');
  assert.deepEqual(calls, ['finished']);
});

test('FinishLine reports when all finished before it was known which are expected', () => {
  const { calls, line } = createLine();
  line.cross('replay');
  assert.deepEqual(calls, []);
  line.expect(['replay']);
  assert.deepEqual(calls, ['finished']);
});

test('FinishLine reports nothing while another one continues', () => {
  const { calls, line } = createLine();
  line.expect(['replay', 'process']);
  line.cross('replay');
  assert.deepEqual(calls, []);
});

/** An exporter that delivers a quarter of its queue whenever the length is read. */
function createExporter(backlog: number) {
  return {
    readBacklog() {
      backlog = Math.max(0, backlog - 0.25);
      return backlog;
    },
  };
}

const stuck = { readBacklog: () => 0.75 };

test('readFullest returns the fill level of the fullest queue, and 0 without queues', () => {
  assert.equal(readFullest([{}, { readBacklog: () => 0.25 }, stuck]), 0.75);
  assert.equal(readFullest([{}]), 0);
});

test('waitForDelivery waits until every queue is empty', async () => {
  const exporter = createExporter(1);
  await waitForDelivery([{}, exporter, createExporter(0.5)]);
  assert.equal(exporter.readBacklog(), 0);
});

test('waitForDelivery gives up when nothing leaves a queue', async () => {
  await waitForDelivery([stuck], 1);
});

test('Gate holds tables until it is released, and then lets them pass in order', () => {
  const next = createTableCollector();
  const gate = new Gate();
  gate.hold();
  const [first, second] = [gate.before(next), gate.before(next)];
  const tables = [1n, 2n, 3n].map((at) => createRow([], at, new Float64Array()));
  const [a, b, c] = tables;
  assert.ok(a && b && c);
  assert.deepEqual([first.consume(a), second.consume(b)], [true, true]);
  assert.deepEqual(next.tables, []);
  gate.release();
  first.consume(c);
  assert.deepEqual(next.tables, tables);
});
