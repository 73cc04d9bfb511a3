import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createLogCollector } from '../component/fakes.js';
import { describeError, ExportError } from '../errors.js';
import { countOpen, expectNothingLeft } from '../linux/open-resources.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { until } from '../testing/until.js';
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

test('ThreadedSender transfers the bytes of a request, not the memory that they are a part of', async (t) => {
  const { sender } = await open();
  t.after(() => sender.close());
  const pooled = Buffer.concat([Buffer.from('memory'), Buffer.alloc(1000)]);
  const bytes = pooled.subarray(0, 'memory'.length);
  assert.equal((await sender.send({ bytes, points: 1 })).rejectedPoints, bytes.length);
  assert.equal(pooled.toString('latin1', 0, bytes.length), 'memory', 'the request keeps its own bytes');
});

test('ThreadedSender leaves no thread behind when it cannot start another one', async () => {
  const before = countOpen();
  const refusedBy = join(createFolder(), 'refused');
  const { sender } = await open({ refusedBy });
  await assert.rejects(sender.send(requestOf('exit')), { retryable: true });
  writeFileSync(refusedBy, '');
  const refusals: string[] = [];
  const requests: Promise<unknown>[] = [];
  // In each turn, since one may be that in which the refused thread is ended.
  while (refusals.length === 0) {
    const sent = sender.send(requestOf('x'));
    requests.push(sent.catch((error: unknown) => refusals.push(describeError(error))));
    await nextTurn();
  }
  await Promise.all(requests);
  assert.deepEqual(new Set(refusals), new Set(['Cannot start again']));
  await sender.close();
  await expectNothingLeft(before);
});

test('ThreadedSender aborts requests in progress when it is closed', async () => {
  const { sender } = await open();
  const waiting = assert.rejects(sender.send(requestOf('wait')), { retryable: true });
  await sender.close();
  await waiting;
});

test('ThreadedSender terminates a thread that does not end, when it is closed', async () => {
  const before = countOpen();
  const { sender, log } = await open();
  const hanging = assert.rejects(sender.send(requestOf('hang')), {
    retryable: true,
    message: 'the exporter was stopped',
  });
  const later = assert.rejects(sender.send(requestOf('x')), { retryable: true });
  await until(() => log.lines.includes('info: hanging'));
  await sender.close(1);
  await Promise.all([hanging, later]);
  assert.deepEqual(log.lines.slice(2), [
    'warn: Closing a place: terminating its sending thread, which does not end',
  ]);
  await expectNothingLeft(before);
});

test('ThreadedSender reports why its thread cannot start, and leaks nothing', async () => {
  const before = countOpen();
  await assert.rejects(open({ refusal: 'Cannot read a file' }), new Error('Cannot read a file'));
  await expectNothingLeft(before);
});
