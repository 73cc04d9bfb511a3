import type { MessagePort } from 'node:worker_threads';
import { WakeSignal } from '../linux/wake-signal.js';
import type { Rows } from './row-buffer.js';

// The messages between the main thread and a sampling thread. A command is posted, then the signal is raised: a
// sampling thread runs without an event loop and checks for commands only when the signal's count has changed.

/** The options with which a sampling thread is started. */
export interface ThreadOptions {
  readonly port: MessagePort;
  /** Memory of the `WakeSignal` that is raised when there are commands. */
  readonly signal: SharedArrayBuffer;
  /** One 32-bit word: bytes of rows that the main thread has taken, modulo 2^32. */
  readonly taken: SharedArrayBuffer;
  /** If set: how far wall time is ahead of CLOCK_MONOTONIC, in nanoseconds, regardless of the system clock. */
  readonly wallOffsetNs: bigint | undefined;
}

/** Opens a sampler. Answered by `opened` or `refused`. */
export interface OpenCommand {
  readonly type: 'open';
  readonly id: number;
  readonly module: string;
  readonly options: unknown;
  readonly periodNs: number;
  readonly flushNs: number;
  /** Whether the sampler ran before: then a failure to open it is not `refused`, and it is tried again. */
  readonly again: boolean;
  /** Whether it is not read until it is resumed. */
  readonly isPaused: boolean;
}

/**
 * Takes a reading and sends every row; `close` then closes the sampler, and `pause` stops its ticks until
 * `resume`. Answered by `done`.
 */
export interface SlotCommand {
  readonly type: 'flush' | 'close' | 'pause' | 'resume';
  readonly id: number;
}

/** Gives a sampler other options. Answered by `done`. */
export interface UpdateCommand {
  readonly type: 'update';
  readonly id: number;
  readonly options: unknown;
}

/** Sets another period of a sampler. Answered by `done`. */
export interface PeriodCommand {
  readonly type: 'period';
  readonly id: number;
  readonly periodNs: number;
}

export type Command = OpenCommand | UpdateCommand | PeriodCommand | SlotCommand | { readonly type: 'end' };

/** New series start with the rows in the same message. */
export interface Announcement {
  readonly columns: unknown;
  readonly columnIds: readonly number[] | undefined;
  /** Unix time in nanoseconds of their first row, even if that was dropped. Known when rows are sent. */
  start?: bigint;
}

/** What happened to a sampler since the last table that was sent. */
export interface SlotCounts {
  missedTicks: number;
  /** Maximum time by which a reading ended late. */
  latenessNs: number;
  /** Rows, and tables of them, that could not be sent. */
  droppedRows: number;
  droppedTables: number;
}

export interface RowsMessage {
  readonly type: 'rows';
  readonly id: number;
  readonly announcement: Announcement | undefined;
  readonly rows: Rows;
  readonly counts: Readonly<SlotCounts>;
}

/** `ended`: these series have no further rows. `recovered`: a failed sampler is read again. */
export interface StateMessage {
  readonly type: 'opened' | 'done' | 'ended' | 'recovered';
  readonly id: number;
}

/** `refused`: could not be opened the first time. `failed`: closed after a failure, to be reopened. */
export interface FailureMessage {
  readonly type: 'refused' | 'failed';
  readonly id: number;
  readonly message: string;
}

/** Information about the thread's scheduling, for the log. */
export interface NoteMessage {
  readonly type: 'note';
  readonly level: 'info' | 'warn';
  readonly message: string;
}

export type ThreadMessage = RowsMessage | StateMessage | FailureMessage | NoteMessage;

/** The main thread's end of the connection to one sampling thread. It works before the thread has started. */
export class ThreadConnection {
  /** The options for starting the thread; its port is transferred. */
  readonly options: ThreadOptions;
  readonly #port: MessagePort;
  readonly #signal: WakeSignal;
  readonly #taken: Int32Array<SharedArrayBuffer>;
  readonly #take: (message: ThreadMessage) => void;
  readonly #closed: Promise<void>;

  /**
   * @param take called with every message, in order
   * @param wallOffsetNs for the thread's options
   */
  constructor(take: (message: ThreadMessage) => void, wallOffsetNs?: bigint) {
    const { port1, port2 } = new (process.getBuiltinModule('node:worker_threads').MessageChannel)();
    const [signal, taken] = [new SharedArrayBuffer(4), new SharedArrayBuffer(4)];
    this.options = { port: port2, signal, taken, wallOffsetNs };
    this.#port = port1;
    this.#signal = new WakeSignal(signal);
    this.#taken = new Int32Array(taken);
    this.#take = take;
    this.#closed = new Promise((resolve) => void port1.once('close', () => resolve()));
    port1.on('message', (message: ThreadMessage) => this.#receive(message));
  }

  post(command: Command): void {
    this.#port.postMessage(command, []);
    this.#signal.raise();
  }

  /** Processes messages that have already arrived, without waiting for the event loop. */
  drain(): void {
    const { receiveMessageOnPort } = process.getBuiltinModule('node:worker_threads');
    // The thread sends only messages of this type.
    const next = (): { message: ThreadMessage } | undefined => receiveMessageOnPort(this.#port);
    for (let found = next(); found !== undefined; found = next()) this.#receive(found.message);
  }

  /** Resolves when everything is closed. */
  close(): Promise<void> {
    this.#port.close();
    return this.#closed;
  }

  #receive(message: ThreadMessage): void {
    this.#take(message);
    if (message.type !== 'rows') return;
    const { offsets, values } = message.rows;
    Atomics.add(this.#taken, 0, offsets.byteLength + values.byteLength);
  }
}
