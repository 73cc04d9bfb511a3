import { parentPort, workerData } from 'node:worker_threads';
import { describeError } from '../errors.js';

// The messages between the main thread and a reading thread, and the loop of the latter: calls of the source
// may block this thread without affecting any other.

/** `read`: answered by a reading or a failure. `close`: the thread ends. */
export type Command = 'read' | 'close';

/**
 * `opening`: the thread is running, and calls the source next. Then the first answer (`reading` or `refused`), and
 * the answers to `read` (`reading` or `failed`).
 */
export type ThreadMessage<Reading> =
  | { readonly type: 'opening' }
  | { readonly type: 'reading'; readonly reading: Reading }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'failed'; readonly message: string };

/** A source that is open on this thread. */
export interface BlockingSession<Reading> {
  /**
   * Called once, before `read`.
   * @returns the first reading
   * @throws Error if there is nothing to read
   */
  open(): Reading;
  /** @throws Error if nothing can be read this time */
  read(): Reading;
  close(): void;
}

/**
 * Reads a source on request of the main thread, see `ReadingThread`.
 * @param create called with the options that the thread was started with
 */
export function serveReadings<Reading>(create: (options: unknown) => BlockingSession<Reading>): void {
  const post = (message: ThreadMessage<Reading>) => parentPort?.postMessage(message, []);
  post({ type: 'opening' });
  try {
    const session = create(workerData);
    post({ type: 'reading', reading: session.open() });
    parentPort?.on('message', (command: Command) => {
      if (command === 'read') return post(read(session));
      session.close();
      parentPort?.close();
    });
  } catch (error) {
    post({ type: 'refused', message: describeError(error) });
    parentPort?.close();
  }
}

function read<Reading>(session: BlockingSession<Reading>): ThreadMessage<Reading> {
  try {
    return { type: 'reading', reading: session.read() };
  } catch (error) {
    return { type: 'failed', message: describeError(error) };
  }
}
