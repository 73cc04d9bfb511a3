import { workerData } from 'node:worker_threads';
import { serveReadings } from './serve-readings.js';

/** Options of a thread of the tests that takes its time to start. */
export interface SlowStartOptions {
  /** How long its module takes to load. */
  readonly loadMs: number;
  /** How long its source takes to open. */
  readonly openMs: number;
}

const { loadMs, openMs } = workerData as SlowStartOptions;
const nothing = new Int32Array(new SharedArrayBuffer(4));

Atomics.wait(nothing, 0, 0, loadMs);
serveReadings<string>(() => ({
  open() {
    Atomics.wait(nothing, 0, 0, openMs);
    return 'open';
  },
  read: () => 'read',
  close() {},
}));
