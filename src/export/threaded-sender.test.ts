import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogCollector } from '../component/fakes.js';
import { ExportError } from '../errors.js';
import { countOpen, expectNothingLeft } from '../linux/open-resources.js';

import { openThreadedSender } from './threaded-sender.js';

const module = new URL('./sending-thread.fixture.js', import.meta.url);

async function open(config: Readonly<Record<string, unknown>> = {}) {
  const log = createLogCollector();
  return { log, sender: await openThreadedSender({ module, config, log }) };
}

const requestOf = (text: string, points = 0) => ({ bytes: Buffer.from(text), points });

test('ThreadedSender sends on a thread, and passes on its answers', async () => {
  const before = countOpen();
  const { sender, log } = await open({ key: 'value' });
  assert.equal(sender.target, 'a place');
  const delivery = await sender.send(requestOf('reject why', 5));
  assert.deepEqual(delivery, { rejectedPoints: 5, message: 'why' });
  await sender.close();
  await sender.close();
  assert.deepEqual(log.lines, ['warn: opened', 'info: closed']);
  await expectNothingLeft(before);
});

test('ThreadedSender passes on the properties of an error, and the progress of a request', async (t) => {
  const { sender } = await open();
  t.after(() => sender.close());
  const [request, other] = [requestOf('count'), requestOf('count')];
  for (const message of ['1 of 3', '2 of 3'])
    await assert.rejects(
      sender.send(request),
      new ExportError(message, { retryable: true, retryAfterMs: 7 }),
    );
  await assert.rejects(sender.send(other), /^ExportError: 1 of 3/u);
  assert.equal((await sender.send(request)).rejectedPoints, 0);
  await assert.rejects(
    sender.send(requestOf('large')),
    new ExportError('too large', { retryable: false, isTooLarge: true }),
  );
  await assert.rejects(sender.send(requestOf('throw')), new ExportError('no number', { retryable: false }));
});

test('ThreadedSender starts another thread when one ended', async (t) => {
  const { sender } = await open();
  t.after(() => sender.close());
  const waiting = sender.send(requestOf('wait'));
  const lost = {
    name: 'ExportError',
    retryable: true,
    message: /^the thread that sends failed: its thread/u,
  };
  await Promise.all([assert.rejects(waiting, lost), assert.rejects(sender.send(requestOf('exit')), lost)]);
  assert.equal((await sender.send(requestOf('x', 3))).rejectedPoints, 3);
});

test('ThreadedSender aborts requests in progress when it is closed', async () => {
  const { sender } = await open();
  const waiting = assert.rejects(sender.send(requestOf('wait')), { retryable: true });
  await sender.close();
  await waiting;
});

test('ThreadedSender reports why its thread cannot start, and leaks nothing', async () => {
  const before = countOpen();
  await assert.rejects(open({ refusal: 'Cannot read a file' }), new Error('Cannot read a file'));
  await expectNothingLeft(before);
});
