// A program that tests kill: it offers numbered requests to a sending queue with a storage, and prints each
// number once its request was accepted. Arguments: folder, address of the backend, first number, number of
// requests, and optionally the size of a request in bytes, the number of requests without a pause between them, and
// `fsync`. It ends when everything is delivered, or by SIGTERM once what it has offered is stored.
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFakeAgent, createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { describeError, ExportError } from '../../src/errors.js';
import type { Sender } from '../../src/export/request-delivery.js';
import { retrySettings } from '../../src/export/retry.js';
import { SendingQueue, sendingQueueSettings } from '../../src/export/sending-queue.js';
import { factory } from './factory.js';

const [directory = '', backend = '', first = '0', count = '0', size = '0', burst = '1', sync] =
  process.argv.slice(2);

const sender: Sender = {
  target: backend,
  async send({ bytes }) {
    const answer = await fetch(backend, { method: 'POST', body: bytes }).catch((error: unknown) => {
      throw new ExportError(describeError(error), { retryable: true });
    });
    await answer.arrayBuffer();
    if (!answer.ok) throw new ExportError(`${answer.status}`, { retryable: true });
    return { rejectedPoints: 0, message: '' };
  },
  close: () => undefined,
};

const storage = factory.create(parseSettings(factory.schema, { directory, fsync: sync === 'fsync' }), {
  ...createFakeContext(),
  isReady: () => true,
  agent: createFakeAgent(),
});
await storage.start();
const schema = { sending_queue: sendingQueueSettings, retry_on_failure: retrySettings };
const settings = { retry_on_failure: { initial_interval: '2ms', max_interval: '5ms' } };
const queue = new SendingQueue(parseSettings(schema, settings), createFakeContext(), sender, {
  storage: await storage.openQueue('numbers'),
});
const ending = new AbortController();
process.once('SIGTERM', () => ending.abort());
const end = Number(first) + Number(count);
for (let number = Number(first); number < end && !ending.signal.aborted; number++) {
  queue.offer({ bytes: new TextEncoder().encode(`${number}`.padEnd(Number(size))), points: 1 });
  writeSync(1, `${number}\n`);
  if (number % Number(burst) === 0) await sleep(0);
}
while (queue.readBacklog(1) > 0 && !ending.signal.aborted) await sleep(1);
await queue.shutdown(60_000);
await storage.shutdown();
