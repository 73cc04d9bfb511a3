import { parentPort, workerData } from 'node:worker_threads';
import type { Log, LogFields } from '../component/log.js';
import type { QueuedRequest } from '../component/queue-storage.js';
import { describeError, ExportError } from '../errors.js';
import type { Delivery } from './request-delivery.js';

/** `send` is answered by `sent` or `failed` with its number, `close` by `closed`. */
export type SendingCommand =
  | { readonly type: 'send'; readonly number: number; readonly request: ThreadRequest }
  | { readonly type: 'close' };

/** `progress`: the progress of a failed request. */
export type SendingMessage =
  | { readonly type: 'ready'; readonly target: string }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'sent'; readonly number: number; readonly delivery: Delivery | undefined }
  | ({ readonly type: 'failed'; readonly number: number; readonly progress: unknown } & Failure)
  | {
      readonly type: 'log';
      readonly level: keyof Log;
      readonly message: string;
      readonly fields: LogFields | undefined;
    }
  | { readonly type: 'closed' };

/** The fields of an ExportError that are passed between threads. */
export interface Failure {
  readonly reason: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly isTooLarge: boolean;
}

/** A request on the thread that sends it. */
export interface ThreadRequest extends Pick<QueuedRequest, 'bytes' | 'points'> {
  /** State of the sender, plain data, which is passed to the next attempt. */
  progress?: unknown;
}

/** A `Sender` of such requests. */
export interface ThreadSender {
  readonly target: string;
  /** @returns undefined: the request was accepted completely, which needs none of the main thread's code */
  send(request: ThreadRequest): Promise<Delivery | undefined>;
  close(): void | Promise<void>;
}

/** For a module that `openThreadedSender` runs: executes commands of the main thread with the sender. */
export function serveSender(open: (config: never, log: Log) => Promise<ThreadSender>): void {
  // The main thread starts this module with the configuration.
  const opening = open(workerData as never, threadLog);
  opening.then(
    ({ target }) => post({ type: 'ready', target }),
    (error: unknown) => post({ type: 'refused', reason: describeError(error) }),
  );
  parentPort?.on('message', (command: SendingCommand) => void obey(opening, command));
}

async function obey(opening: Promise<ThreadSender>, command: SendingCommand): Promise<void> {
  // If opening failed, the main thread is notified and terminates this thread.
  const sender = await opening.catch(() => undefined);
  if (command.type === 'send' && sender) post(await attempt(sender, command));
  if (command.type !== 'close') return;
  await sender?.close();
  post({ type: 'closed' });
  parentPort?.close();
}

async function attempt(
  sender: ThreadSender,
  { number, request }: Extract<SendingCommand, { readonly type: 'send' }>,
): Promise<SendingMessage> {
  try {
    return { type: 'sent', number, delivery: await sender.send(request) };
  } catch (error) {
    return { type: 'failed', number, progress: request.progress, ...describeFailure(error) };
  }
}

function describeFailure(error: unknown): Failure {
  const reason = describeError(error);
  if (!(error instanceof ExportError))
    return { reason, retryable: false, retryAfterMs: undefined, isTooLarge: false };
  const { retryable, retryAfterMs, isTooLarge } = error;
  return { reason, retryable, retryAfterMs, isTooLarge };
}

const threadLog: Log = {
  debug: (message, fields) => post({ type: 'log', level: 'debug', message, fields }),
  info: (message, fields) => post({ type: 'log', level: 'info', message, fields }),
  warn: (message, fields) => post({ type: 'log', level: 'warn', message, fields }),
  error: (message, fields) => post({ type: 'log', level: 'error', message, fields }),
};

function post(message: SendingMessage): void {
  parentPort?.postMessage(message, []);
}
