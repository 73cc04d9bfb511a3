import { GCProfiler, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * How many bytes of the JavaScript heap a function allocates. Typed arrays of more than 64 bytes are outside of it. What
 * the measurement itself allocates, some tens of KiB, is counted, too. No garbage is collected first: with it goes
 * compiled code, and what is not compiled puts every number on the heap.
 */
export function measureAllocation(run: () => void): number {
  const profiler = new GCProfiler();
  profiler.start();
  const before = getHeapStatistics().used_heap_size;
  run();
  const kept = getHeapStatistics().used_heap_size - before;
  const collected = profiler
    .stop()
    .statistics.map(
      ({ beforeGC, afterGC }) => beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize,
    );
  return collected.reduce((sum, bytes) => sum + bytes, kept);
}

let collectGarbage: (() => void) | undefined;

/** Bytes of what is in use, of the heap and of memory outside of it, after a collection of garbage. */
export function readHeapBytes(): number {
  collectGarbage ??= exposeCollection();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function exposeCollection(): () => void {
  setFlagsFromString('--expose_gc');
  // What this flag adds to every new context.
  return runInNewContext('gc') as () => void;
}
