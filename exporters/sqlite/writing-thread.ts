import { parentPort, workerData } from 'node:worker_threads';
import { describeError, ExportError } from '../../src/errors.js';
import { SqliteFile, type SqliteFileOptions } from '../../src/sql/sqlite-file.js';
import { findRefusal } from './refusal.js';
import type { WritingCommand, WritingFailure, WritingMessage } from './sqlite-sender.js';

const pruneEveryMs = 60_000;

// The sender starts this module with these.
const options = workerData as SqliteFileOptions;
const file = new SqliteFile(options);
let pruneAtMs = 0;

function post(message: WritingMessage): void {
  parentPort?.postMessage(message, []);
}

function attempt(run: () => void): WritingFailure | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    const isDamaged = error instanceof ExportError && !error.retryable;
    return { reason: describeError(error), isDamaged };
  }
}

/** Requests that came meanwhile take turns with it. */
function pruneLater(): void {
  if (performance.now() < pruneAtMs) return;
  let isMore = false;
  // What cannot be deleted now can be later; a file that is broken shows with the next request.
  attempt(() => (isMore = file.prune(Date.now())));
  if (isMore) setImmediate(pruneLater);
  else pruneAtMs = performance.now() + pruneEveryMs;
}

parentPort?.on('message', (command: WritingCommand) => {
  if (command.type === 'write') {
    post({ type: 'wrote', number: command.number, failure: attempt(() => file.write(command.bytes)) });
    setImmediate(pruneLater);
    return;
  }
  attempt(() => file.close());
  post({ type: 'closed' });
  parentPort?.close();
});
post({ type: 'ready', refusal: findRefusal(options.path) });
