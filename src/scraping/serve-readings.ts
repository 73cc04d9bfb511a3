import { parentPort, workerData } from 'node:worker_threads';
import { describeError } from '../errors.js';

// What the main thread and a reading thread send each other, and the loop of the latter: every call of the source may
// block it, and blocks nothing else.

/** `read`: answered by a reading or a failure. `close`: the thread ends. */
export type Command = 'read' | 'close';

/** The first answer of the thread (`reading` or `refused`), and those to `read` (`reading` or `failed`). */
export type ThreadMessage<Reading> =
  | { readonly type: 'reading'; readonly reading: Reading }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'failed'; readonly message: string };

/** A source that is open on this thread. */
export interface BlockingSession<Reading> {
  /**
   * Called once, before `read`.
   * @returns what is there
   * @throws Error when there is nothing to be read
   */
  open(): Reading;
  /** @throws Error when nothing can be read this time */
  read(): Reading;
  close(): void;
}

/**
 * Reads a source whenever the main thread asks, see `ReadingThread`.
 * @param create called with the options that the thread was started with
 */
export function serveReadings<Reading>(create: (options: unknown) => BlockingSession<Reading>): void {
  const post = (message: ThreadMessage<Reading>) => parentPort?.postMessage(message, []);
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
