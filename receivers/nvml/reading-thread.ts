import { parentPort, workerData } from 'node:worker_threads';
import { describeError } from '../../src/errors.js';
import type { Command, Reading, ThreadMessage, ThreadOptions } from './protocol.js';
import { Session } from './session.js';

// The thread that calls NVML: every call may block it, and blocks nothing else.

// The receiver starts this module with these.
const session = new Session(workerData as ThreadOptions);

function post(message: ThreadMessage): void {
  parentPort?.postMessage(message, []);
}

function read(): Reading {
  try {
    return session.read();
  } catch (error) {
    return { devices: undefined, rows: [], notes: [], failure: describeError(error) };
  }
}

function end(): void {
  session.close();
  parentPort?.close();
}

try {
  post({ type: 'opened', reading: session.open() });
  parentPort?.on('message', (command: Command) => {
    if (command === 'close') end();
    else post({ type: 'reading', reading: read() });
  });
} catch (error) {
  post({ type: 'refused', message: describeError(error) });
  parentPort?.close();
}
