import { serveReadings } from './serve-readings.js';

/** Options of the source in these tests. */
export interface GatedOptions {
  /** A number that is 0 while the source answers, 1 while a call hangs and 2 while it fails. */
  readonly gate: Int32Array<SharedArrayBuffer>;
  /** Why it cannot be opened; empty: it can be opened. */
  readonly refusal: string;
  /** What it reads; unset: how often it was read. */
  readonly answer?: string;
}

// A thread of the tests, whose source answers as its gate says. The tests start it with these options.
serveReadings<string | number>((options) => {
  const { gate, refusal, answer } = options as GatedOptions;
  let reads = 0;
  return {
    open() {
      if (refusal !== '') throw new Error(refusal);
      return reads;
    },
    read() {
      Atomics.wait(gate, 0, 1);
      if (Atomics.load(gate, 0) === 2) throw new Error('Cannot read a gate: EIO');
      reads++;
      return answer ?? reads;
    },
    close() {},
  };
});
