import type { Log } from '../component/log.js';
import type { QueuedRequest } from '../component/queue-storage.js';
import { ExportError } from '../errors.js';
import { WorkThread } from '../work-thread.js';
import type { Delivery, Sender } from './courier.js';
import type { SendingCommand, SendingMessage } from './sending-thread.js';

export interface ThreadedSenderOptions {
  /** The module of the thread, which calls `serveSender`. */
  readonly module: URL;
  /** What that opens its sender with: plain data. */
  readonly config: unknown;
  readonly log: Log;
}

/**
 * Opens a sender on a thread of its own, so that what it does to a request, encode, compress or write, holds up nothing else.
 * @throws Error where the thread cannot open its sender
 */
export async function openThreadedSender(options: ThreadedSenderOptions): Promise<Sender> {
  const sender = new ThreadedSender(options);
  await sender.open();
  return sender;
}

type Answer = Extract<SendingMessage, { readonly type: 'sent' | 'failed' }>;

/** A request that the thread has. */
interface Underway {
  readonly request: QueuedRequest;
  resolve(delivery: Delivery): void;
  reject(error: Error): void;
}

class ThreadedSender implements Sender {
  readonly #options: ThreadedSenderOptions;
  readonly #underway = new Map<number, Underway>();
  /** How far requests have come that were tried before. */
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
    this.#thread.post({ type: 'send', number, request: { bytes, points, progress } });
    return sent;
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    if (thread === undefined) return;
    const closed = new Promise<void>((resolve) => (this.#closed = resolve));
    thread.post({ type: 'close' });
    await closed;
    this.#lose('the exporter was stopped');
    await thread.terminate();
  }

  #start(): WorkThread<SendingCommand, SendingMessage> {
    const { module, config } = this.#options;
    const thread = new WorkThread<SendingCommand, SendingMessage>({
      module,
      data: config,
      onMessage: (message) => this.#hear(message),
      onEnd: (reason) => this.#lose(`the thread that sends failed: ${reason}`),
    });
    return thread;
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

  async #refuse(reason: string): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
    this.#lose(reason);
  }

  #settle(answer: Answer): void {
    const waiting = this.#underway.get(answer.number);
    this.#underway.delete(answer.number);
    if (waiting === undefined) return;
    if (answer.type === 'sent') {
      waiting.resolve(answer.delivery);
      return;
    }
    this.#progress.set(waiting.request, answer.progress);
    waiting.reject(new ExportError(answer.reason, answer));
  }

  /** The next request starts another thread. What this one may have sent is sent again. */
  #lose(reason: string): void {
    this.#thread = undefined;
    for (const { reject } of this.#underway.values()) reject(new ExportError(reason, { retryable: true }));
    this.#underway.clear();
    this.#opened(reason);
    this.#closed();
  }
}
