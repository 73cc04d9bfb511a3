import type { MessagePort } from 'node:worker_threads';
import type { Rows } from './row-buffer.js';

// What the main thread and a sampling thread say to each other. A command is posted, then the signal raised: a
// sampling thread sits in a loop without an event loop and looks for commands only when the signal's count
// changed.

/** What a sampling thread is born with. */
export interface ThreadOptions {
  readonly port: MessagePort;
  /** Of the `WakeSignal` that says that there are commands. */
  readonly signal: SharedArrayBuffer;
  /** One 32-bit word: bytes of rows that the main thread has taken, modulo 2^32. */
  readonly taken: SharedArrayBuffer;
  /** Where set: how far wall time is ahead of CLOCK_MONOTONIC, in nanoseconds, however the clock is set. */
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
  /** Whether the sampler ran before: then it is tried again where it cannot be opened, and nothing is refused. */
  readonly again: boolean;
}

/** Takes a reading and hands on every row; `close` then closes the sampler. Answered by `done`. */
export interface SlotCommand {
  readonly type: 'flush' | 'close';
  readonly id: number;
}

export type Command = OpenCommand | SlotCommand | { readonly type: 'end' };

/** New series begin with the rows that this comes with. */
export interface Announcement {
  readonly columns: unknown;
  readonly lives: readonly number[] | undefined;
  /** Unix time in nanoseconds of their first row, which may have been dropped. Known when rows are sent. */
  start?: bigint;
}

/** What happened at a sampler since the last table that was sent. */
export interface SlotCounts {
  missedTicks: number;
  /** The most that a reading ended after its time. */
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

/** `ended`: no further row of these series. `recovered`: a failed sampler reads again. */
export interface StateMessage {
  readonly type: 'opened' | 'done' | 'ended' | 'recovered';
  readonly id: number;
}

/** `refused`: not opened the first time. `failed`: closed after a failure, to be opened again. */
export interface FailureMessage {
  readonly type: 'refused' | 'failed';
  readonly id: number;
  readonly message: string;
}

/** About the thread's scheduling, for the log. */
export interface NoteMessage {
  readonly type: 'note';
  readonly level: 'info' | 'warn';
  readonly message: string;
}

export type ThreadMessage = RowsMessage | StateMessage | FailureMessage | NoteMessage;
