import { createFakeContext, createLogCollector, createMeterReader } from '../component/fakes.js';
import type { QueuedRequest, QueueStorage } from '../component/queue-storage.js';
import { parseSettings } from '../config/settings.js';
import { ExportError } from '../errors.js';
import type { Delivery } from './request-delivery.js';
import { retrySettings } from './retry.js';
import { SendingQueue, sendingQueueSettings } from './sending-queue.js';

const schema = { sending_queue: sendingQueueSettings, retry_on_failure: retrySettings };
/** For tests: waits that take no time. */
export const fast = { initial_interval: '2ms', max_interval: '2ms' };
/** For tests: a backend accepted everything. */
export const taken: Delivery = { rejectedPoints: 0, message: '' };

/** For tests: a backend's answer to an attempt; attempts are counted from 1. */
export type Answer = (request: QueuedRequest, attempt: number) => Delivery | Promise<Delivery>;

/** For tests: the answer of a backend that refuses a request. */
export function refuse(message: string, retryable: boolean): never {
  throw new ExportError(message, { retryable });
}

/** For tests: a request of this size. */
export function request(points: number, bytes = 100): QueuedRequest {
  return { points, bytes: new Uint8Array(bytes) };
}

/** For tests: a queue whose attempts get these answers. */
export function openQueue(answer: Answer, settings: Record<string, unknown> = {}, storage?: QueueStorage) {
  const log = createLogCollector();
  const { meter, read } = createMeterReader();
  const sent: number[] = [];
  let attempts = 0;
  let closed = 0;
  const sender = {
    target: 'backend:4317',
    async send(one: QueuedRequest) {
      attempts += 1;
      const delivery = await answer(one, attempts);
      sent.push(one.points);
      return delivery;
    },
    close: () => void (closed += 1),
  };
  const config = parseSettings(schema, { retry_on_failure: fast, ...settings });
  const queue = new SendingQueue(config, createFakeContext({ id: 'otlp', log, meter }), sender, { storage });
  return { queue, sent, log, read, closed: () => closed, attempts: () => attempts };
}
