import { setImmediate } from 'node:timers';
import { describeError, ExportError } from '../../src/errors.js';
import { serveSender, type ThreadSender } from '../../src/export/sending-thread.js';
import { SqliteFile } from '../../src/sql/sqlite-file.js';
import type { FileConfig } from './config.js';
import { findRefusal } from './refusal.js';

const pruneEveryMs = 60_000;

/**
 * @throws Error if the file can never be written: its folder does not exist, it is another file, or SQLite is
 * missing
 */
function openSqliteSender(config: FileConfig): ThreadSender {
  const { path, max_age: maxAgeMs, synchronous, busy_timeout: busyTimeoutMs } = config;
  const file = new SqliteFile({ path, maxAgeMs, synchronous, busyTimeoutMs });
  const refusal = findRefusal(path);
  if (refusal !== undefined) throw new Error(`Cannot write ${path}: ${refusal}`);
  return {
    target: path,
    send({ bytes }) {
      write(file, bytes);
      setImmediate(pruneLater, file);
      return Promise.resolve(undefined);
    },
    close: () => attempt(() => file.close()),
  };
}

/** @throws ExportError, mostly retryable: a lock ends, a full disk gets space, and a broken file can be replaced */
function write(file: SqliteFile, bytes: Uint8Array): void {
  try {
    file.write(bytes);
  } catch (error) {
    if (error instanceof ExportError) throw error;
    throw new ExportError(describeError(error), { retryable: true, cause: error });
  }
}

let pruneAtMs = 0;

/** Pruning alternates with waiting requests. */
function pruneLater(file: SqliteFile): void {
  if (performance.now() < pruneAtMs) return;
  let isMore = false;
  // What cannot be deleted now can be deleted later; a broken file shows with the next request.
  attempt(() => (isMore = file.prune(Date.now())));
  if (isMore) setImmediate(pruneLater, file);
  else pruneAtMs = performance.now() + pruneEveryMs;
}

function attempt(run: () => void): void {
  try {
    run();
  } catch {
    // Reported with the next request.
  }
}

serveSender((config: FileConfig) => Promise.resolve().then(() => openSqliteSender(config)));
