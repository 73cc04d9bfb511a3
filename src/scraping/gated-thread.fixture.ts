import { parentPort, workerData } from 'node:worker_threads';
import type { Gate } from './hanging-thread.fixture.js';

/** Options of a reading thread whose readings hang while a gate is closed, besides its own. */
export interface GatedThreadOptions {
  readonly gate: Gate['number'];
  /** Address of the thread's own module. */
  readonly module: string;
}

// Runs the module of a reading thread: each request waits at the gate, where a call of the driver would hang.
const { gate, module } = workerData as GatedThreadOptions;
const listen = parentPort?.on.bind(parentPort);
Object.assign(parentPort ?? {}, {
  on: (event: 'message', listener: (message: unknown) => void) =>
    listen?.(event, (message: unknown) => {
      Atomics.wait(gate, 0, 1);
      listener(message);
    }),
});
await import(module);
