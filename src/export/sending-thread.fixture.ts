import { existsSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import type { Log } from '../component/log.js';
import { ExportError } from '../errors.js';
import { serveSender, type ThreadRequest } from './sending-thread.js';

/** For tests, on a thread: the text of a request says what to do with it. */
async function send(request: ThreadRequest, log: Log) {
  const [word = '', detail = ''] = Buffer.from(request.bytes).toString().split(' ');
  if (word === 'exit') process.exit();
  if (word === 'hang') hang(log);
  if (word === 'wait') await new Promise(() => {});
  if (word === 'count') request.progress = Number(request.progress ?? 0) + 1;
  if (word === 'count' && request.progress !== 3)
    throw new ExportError(`${String(request.progress)} of 3`, { retryable: true, retryAfterMs: 7 });
  if (word === 'large') throw new ExportError('too large', { retryable: false, isTooLarge: true });
  if (word === 'throw') throw new TypeError('no number');
  if (word === 'memory') return { rejectedPoints: request.bytes.buffer.byteLength, message: '' };
  return { rejectedPoints: request.points, message: detail };
}

function hang(log: Log): never {
  log.info('hanging');
  for (;;);
}

interface Config {
  /** The start fails with this message. */
  readonly refusal?: string;
  /** The start fails while this file exists. */
  readonly refusedBy?: string;
}

serveSender(({ refusal, refusedBy = '' }: Config, log) => {
  if (refusal !== undefined) return Promise.reject(new Error(refusal));
  if (existsSync(refusedBy)) return Promise.reject(new Error('Cannot start again'));
  log.warn('opened', { data: workerData as unknown });
  return Promise.resolve({
    target: 'a place',
    send: (request) => send(request, log),
    close: () => log.info('closed'),
  });
});
