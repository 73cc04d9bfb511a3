import type { Log } from '../component/log.js';
import type { QueuedRequest } from '../component/queue-storage.js';
import { ExportError } from '../errors.js';
import { WorkThread } from '../work-thread.js';
import { wholeDelivery, type Delivery, type Sender } from './request-delivery.js';
import type { SendingCommand, SendingMessage } from './sending-thread.js';

/** Time for closing connections, if the caller sets no limit. */
const closeMs = 1000;

export interface ThreadedSenderOptions {
  /** The module of the thread, which calls `serveSender`. */
  readonly module: URL;
  /** The configuration for the sender of that module: plain data. */
  readonly config: unknown;
  readonly log: Log;
}

/**
 * Opens a sender on a separate thread, so that its encoding, compression or writing does not block other work.
 * @throws Error if the thread cannot open its sender
 */
export async function openThreadedSender(options: ThreadedSenderOptions): Promise<Sender> {
  const sender = new ThreadedSender(options);
  await sender.open();
  return sender;
}

type Answer = Extract<SendingMessage, { readonly type: 'sent' | 'failed' }>;

/** A request that was passed to the thread. */
interface Underway {
  readonly request: QueuedRequest;
  resolve(delivery: Delivery): void;
  reject(error: Error): void;
}

class ThreadedSender implements Sender {
  readonly #options: ThreadedSenderOptions;
  readonly #underway = new Map<number, Underway>();
  /** Progress of requests that were attempted before. */
  readonly #progress = new WeakMap<QueuedRequest, unknown>();
  #thread: WorkThread<SendingCommand, SendingMessage> | undefined;
  #lastNumber = 0;
  #target = '';
  #opened: (refusal: string | undefined) => void = () => {};
  #closed = () => {};

  constructor(options: ThreadedSenderOptions) {
    this.#options = options;
  }

  get target(): string {
    return this.#target;
  }

  async open(): Promise<void> {
    const opened = new Promise<string | undefined>((resolve) => (this.#opened = resolve));
    this.#thread = this.#start();
    const refusal = await opened;
    if (refusal !== undefined) throw new Error(refusal);
  }

  send(request: QueuedRequest): Promise<Delivery> {
    this.#thread ??= this.#start();
    const { bytes, points } = request;
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const sent = new Promise<Delivery>((resolve, reject) =>
      this.#underway.set(number, { request, resolve, reject }),
    );
    const progress = this.#progress.get(request);
    // Posting the request itself would copy, twice, all of the memory that its bytes are a part of: pooled memory
    // is up to twice as long, and the halves of a request share the memory of the whole.
    const copy = new Uint8Array(bytes);
    this.#thread.post({ type: 'send', number, request: { bytes: copy, points, progress } }, [copy.buffer]);
    return sent;
  }

  async close(timeoutMs = closeMs): Promise<void> {
    const thread = this.#thread;
    if (thread === undefined) return;
    const closed = new Promise<void>((resolve) => (this.#closed = resolve));
    thread.post({ type: 'close' });
    const timer = setTimeout(() => this.#giveUp(), timeoutMs);
    await closed;
    clearTimeout(timer);
    this.#lose('the exporter was stopped');
    await thread.terminate();
  }

  /** The thread blocks, for example in a loop without end or on a disk that does not answer. */
  #giveUp(): void {
    this.#options.log.warn(`Closing ${this.#target}: terminating its sending thread, which does not end`);
    this.#closed();
  }

  #start(): WorkThread<SendingCommand, SendingMessage> {
    const { module, config } = this.#options;
    return new WorkThread<SendingCommand, SendingMessage>({
      module,
      data: config,
      onMessage: (message) => this.#hear(message),
      onEnd: (reason) => this.#lose(`the thread that sends failed: ${reason}`),
    });
  }

  #hear(message: SendingMessage): void {
    if (message.type === 'log') this.#options.log[message.level](message.message, message.fields);
    else if (message.type === 'ready') this.#beReady(message.target);
    else if (message.type === 'refused') void this.#refuse(message.reason);
    else if (message.type === 'closed') this.#closed();
    else this.#settle(message);
  }

  #beReady(target: string): void {
    this.#target = target;
    this.#opened(undefined);
  }

  /** Requests that arrive until the thread has ended are lost with it: the next ones start another one. */
  async #refuse(reason: string): Promise<void> {
    await this.#thread?.terminate();
    this.#lose(reason);
  }

  #settle(answer: Answer): void {
    const waiting = this.#underway.get(answer.number);
    this.#underway.delete(answer.number);
    if (waiting === undefined) return;
    if (answer.type === 'sent') {
      waiting.resolve(answer.delivery ?? wholeDelivery);
      return;
    }
    this.#progress.set(waiting.request, answer.progress);
    waiting.reject(new ExportError(answer.reason, answer));
  }

  /**
   * The next request starts a new thread. Requests in progress are sent again, even if this thread has already
   * sent them.
   */
  #lose(reason: string): void {
    this.#thread = undefined;
    for (const { reject } of this.#underway.values()) reject(new ExportError(reason, { retryable: true }));
    this.#underway.clear();
    this.#opened(reason);
    this.#closed();
  }
}
