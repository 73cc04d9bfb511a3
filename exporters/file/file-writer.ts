import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Log } from '../../src/component/log.js';
import type { RecordedTable } from '../../src/recording/recorded-table.js';
import { buffersOf, TablePacker, type Introduction, type Parcel } from '../../src/recording/table-parcel.js';
import { WorkThread } from '../../src/work-thread.js';
import type { FileConfig } from './config.js';

const writingModule = new URL('./writing-thread.js', import.meta.url);

type Answer = Exclude<WritingMessage, { type: 'note' }>;

/** The thread that encodes, compresses and writes a file: the main thread only copies tables. One call at a time. */
export class FileWriter {
  readonly #config: FileConfig;
  readonly #log: Log;
  #packer = new TablePacker();
  #thread: WorkThread<WritingCommand, WritingMessage> | undefined;
  #answer: ((answer: Answer) => void) | undefined;

  constructor(config: FileConfig, log: Log) {
    this.#config = config;
    this.#log = log;
  }

  /** Whether there is a thread with an open file. */
  get isOpen(): boolean {
    return this.#thread !== undefined;
  }

  /**
   * Opens the file.
   * @throws Error saying why the file cannot be written
   */
  async open(): Promise<void> {
    this.#packer = new TablePacker();
    const answer = this.#listen();
    this.#thread = new WorkThread<WritingCommand, WritingMessage>({
      module: writingModule,
      data: this.#config,
      onMessage: (message) => this.#hear(message),
      onEnd: (reason) => this.#lose(reason),
    });
    const opened = await answer;
    if (opened.type !== 'refused') return;
    await this.terminate();
    throw new Error(opened.message);
  }

  /**
   * Writes these tables, after those that could not be written before. Never rejects.
   * @returns how many of all tables sent are now in the file; after a failure the others are kept for the next
   * call
   */
  async write(tables: readonly RecordedTable[]): Promise<Written> {
    for (const introduction of this.#packer.introduce(tables)) {
      this.#thread?.post({ type: 'introduce', introduction });
      await nextTurn();
    }
    const parcel = this.#packer.pack(tables);
    const answer = this.#listen();
    this.#thread?.post({ type: 'write', parcel }, buffersOf(parcel));
    const written = this.#thread === undefined ? undefined : await answer;
    if (written?.type === 'wrote') return written;
    const reason = written?.type === 'refused' ? written.message : 'its thread has ended';
    return { type: 'wrote', tables: 0, failure: reason };
  }

  /** Closes the file and ends the thread. */
  async close(): Promise<void> {
    const answer = this.#listen();
    this.#thread?.post({ type: 'close' });
    if (this.#thread) await answer;
    await this.terminate();
  }

  /** Ends the thread in any state. May be called twice. */
  async terminate(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }

  #listen(): Promise<Answer> {
    return new Promise((resolve) => (this.#answer = resolve));
  }

  #hear(message: WritingMessage): void {
    if (message.type === 'note') this.#log[message.level](message.text);
    else this.#answer?.(message);
  }

  #lose(reason: string): void {
    this.#thread = undefined;
    this.#answer?.({ type: 'refused', message: `Cannot write ${this.#config.path}: ${reason}` });
  }
}

// Messages between the main thread and the thread that writes a file.

/**
 * `write`: write these tables, after those that could not be written before; answered by `wrote`. `close`:
 * answered by `closed`.
 */
export type WritingCommand =
  | { readonly type: 'introduce'; readonly introduction: Introduction }
  | { readonly type: 'write'; readonly parcel: Parcel }
  | { readonly type: 'close' };

/** The first tables sent, this many, are in the file; the others are not, for the given reason. */
export interface Written {
  readonly type: 'wrote';
  readonly tables: number;
  readonly failure: string | undefined;
}

/** `opened`: the file is open. `refused`: it cannot be opened. */
export type WritingMessage =
  | { readonly type: 'opened' | 'closed' }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'note'; readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly text: string }
  | Written;
