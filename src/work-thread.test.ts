import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { countOpen, expectNothingLeft } from './linux/open-resources.js';
import { until } from './testing/until.js';
import { WorkThread } from './work-thread.js';

function moduleOf(script: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(script)}`);
}

const speak = `import { parentPort } from 'node:worker_threads'; parentPort.postMessage('here');`;

/** Runs a script in a thread. */
function open(script: string, stuckAfterMs?: number, hasInput = false) {
  const messages: unknown[] = [];
  const events = new EventEmitter();
  const ended = once(events, 'end').then(([reason]) => String(reason));
  const thread = new WorkThread<string, unknown>({
    module: moduleOf(speak + script),
    data: undefined,
    hasInput,
    ...(stuckAfterMs !== undefined && { stuckAfterMs }),
    onMessage: (message) => void messages.push(message),
    onEnd: (reason) => void events.emit('end', reason),
  });
  return { thread, messages, ended };
}

test('WorkThread ends a thread that computes without end', { timeout: 60_000 }, async () => {
  const before = countOpen();
  const { ended, messages } = open('setImmediate(() => { for (;;); });', 300);
  assert.equal(await ended, 'it does not come to an end');
  assert.deepEqual(messages, ['here']);
  await expectNothingLeft(before);
});

test('WorkThread lets a thread wait for any time', { timeout: 60_000 }, async () => {
  const { thread, messages } = open(
    `setTimeout(() => { parentPort.postMessage('there'); process.exit(); }, 500);`,
    50,
  );
  await until(() => messages.length === 2);
  await thread.terminate();
  assert.deepEqual(messages, ['here', 'there']);
});

test('WorkThread is terminated during a computation', { timeout: 60_000 }, async () => {
  const { thread, messages } = open('setImmediate(() => { for (;;); });');
  await until(() => messages.length > 0);
  await thread.terminate();
  await thread.terminate();
});

test('WorkThread reports why a thread failed', { timeout: 60_000 }, async () => {
  assert.match(await open(`setImmediate(() => { throw new Error('too bad'); });`).ended, /too bad/u);
});

test('WorkThread gives its thread messages and a standard input', { timeout: 60_000 }, async () => {
  const before = countOpen();
  const script = `
    process.stdin.on('data', (bytes) => parentPort.postMessage('read ' + bytes));
    parentPort.on('message', (message) => parentPort.postMessage('heard ' + message));`;
  const { thread, messages } = open(script, undefined, true);
  thread.post('a');
  await until(() => messages.includes('heard a'));
  thread.input?.write('b');
  await until(() => messages.includes('read b'));
  await thread.terminate();
  assert.deepEqual(messages, ['here', 'heard a', 'read b']);
  await expectNothingLeft(before);
});

test('WorkThread reports a thread that ended by itself', { timeout: 60_000 }, async () => {
  assert.equal(await open('').ended, 'its thread ended');
});
