import type { QueuedRequest } from '../../src/component/queue-storage.js';
import { ExportError } from '../../src/errors.js';
import { wholeDelivery, type Delivery, type Sender } from '../../src/export/courier.js';
import { RecordingThread } from '../../src/recording/recording-thread.js';
import type { SqliteFileOptions } from '../../src/sql/sqlite-file.js';
import type { FileConfig } from './config.js';

const writingModule = new URL('./writing-thread.js', import.meta.url);

/** `write` is answered by `wrote` with its number, `close` by `closed`. */
export type WritingCommand =
  | { readonly type: 'write'; readonly number: number; readonly bytes: Uint8Array }
  | { readonly type: 'close' };

/** `refusal`: why the file can never be written. */
export type WritingMessage =
  | { readonly type: 'ready'; readonly refusal: string | undefined }
  | { readonly type: 'closed' }
  | { readonly type: 'wrote'; readonly number: number; readonly failure: WritingFailure | undefined };

/** Why nothing of a request was written. */
export interface WritingFailure {
  readonly reason: string;
  /** Whether the request is damaged: another attempt cannot help. */
  readonly isDamaged: boolean;
}

/**
 * Opens the way to a database file, which is written by a thread of its own.
 * @throws Error where it can never be written: its folder is not there, it is another file, or SQLite is missing
 */
export async function openSqliteSender(config: FileConfig): Promise<Sender> {
  const { path, max_age: maxAgeMs, synchronous, busy_timeout: busyTimeoutMs } = config;
  const sender = new SqliteSender({ path, maxAgeMs, synchronous, busyTimeoutMs });
  await sender.open();
  return sender;
}

/** Has the thread write one request after another. */
class SqliteSender implements Sender {
  readonly target: string;
  readonly #options: SqliteFileOptions;
  /** What becomes of the requests that the thread has. */
  readonly #underway = new Map<number, (failure: WritingFailure | undefined) => void>();
  #thread: RecordingThread<WritingCommand, WritingMessage> | undefined;
  #lastNumber = 0;
  #closed = () => {};
  #ready: (refusal: string | undefined) => void = () => {};

  constructor(options: SqliteFileOptions) {
    this.target = options.path;
    this.#options = options;
  }

  /** @throws Error where the file can never be written */
  async open(): Promise<void> {
    const ready = new Promise<string | undefined>((resolve) => (this.#ready = resolve));
    this.#thread = this.#start();
    const refusal = await ready;
    if (refusal === undefined) return;
    await this.#thread?.terminate();
    throw new Error(`Cannot write ${this.target}: ${refusal}`);
  }

  async send({ bytes }: QueuedRequest): Promise<Delivery> {
    this.#thread ??= this.#start();
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const answer = new Promise<WritingFailure | undefined>((resolve) => this.#underway.set(number, resolve));
    this.#thread.post({ type: 'write', number, bytes });
    const failure = await answer;
    // A lock ends, a disk gets room, and a file can be put in place of one that is broken.
    if (failure) throw new ExportError(failure.reason, { retryable: !failure.isDamaged });
    return wholeDelivery;
  }

  /** Closes the file: what is under way comes before that. */
  async close(): Promise<void> {
    const thread = this.#thread;
    if (thread === undefined) return;
    const closed = new Promise<void>((resolve) => (this.#closed = resolve));
    thread.post({ type: 'close' });
    await closed;
    this.#thread = undefined;
    await thread.terminate();
  }

  #start(): RecordingThread<WritingCommand, WritingMessage> {
    return new RecordingThread<WritingCommand, WritingMessage>({
      module: writingModule,
      data: this.#options,
      onMessage: (message) => this.#hear(message),
      onEnd: (reason) => this.#lose(reason),
    });
  }

  #hear(message: WritingMessage): void {
    if (message.type === 'closed') this.#closed();
    if (message.type === 'ready') this.#ready(message.refusal);
    if (message.type === 'wrote') this.#settle(message.number, message.failure);
  }

  #settle(number: number, failure: WritingFailure | undefined): void {
    this.#underway.get(number)?.(failure);
    this.#underway.delete(number);
  }

  /** The next request starts another one. What this one may have written is written again, which changes nothing. */
  #lose(reason: string): void {
    this.#thread = undefined;
    for (const number of this.#underway.keys())
      this.#settle(number, { reason: `the thread that writes it failed: ${reason}`, isDamaged: false });
    this.#closed();
    this.#ready(`its thread failed: ${reason}`);
  }
}
