import type { Introduction, Parcel } from '../../src/recording/table-parcel.js';
import type { Config } from './config.js';
import type { Findings } from './reading.js';

// What the main thread and the thread that reads files say to each other.

/** What the reading thread is started with. */
export interface ReadingOrder {
  readonly paths: readonly string[];
  readonly format: Config['format'];
}

/** `done`: there is nothing more to read. */
export type ReadingMessage =
  | { readonly type: 'begin'; readonly path: string }
  | { readonly type: 'introduce'; readonly introduction: Introduction }
  | { readonly type: 'tables'; readonly parcel: Parcel; readonly findings: Findings }
  | { readonly type: 'done' };

/** The main thread has taken some tables and wants more. */
export type ReadingReply = 'more';
