import type { Introduction, Parcel } from '../../src/recording/table-parcel.js';

// What the main thread and the thread that writes a file say to each other.

/**
 * `write`: write these tables and whatever could not be written before; answered by `wrote`. `close`: answered by
 * `closed`.
 */
export type WritingCommand =
  | { readonly type: 'introduce'; readonly introduction: Introduction }
  | { readonly type: 'write'; readonly parcel: Parcel }
  | { readonly type: 'close' };

/** Of the tables that were sent, the first so many are in the file; the others are not, for this reason. */
export interface Written {
  readonly type: 'wrote';
  readonly tables: number;
  readonly failure: string | undefined;
}

/** `opened`: the file is open. `refused`: it cannot be. */
export type WritingMessage =
  | { readonly type: 'opened' | 'closed' }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'note'; readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly text: string }
  | Written;
