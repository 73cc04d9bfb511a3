import { GCProfiler, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Bytes of the JavaScript heap that a function allocates, without typed arrays of more than 64 bytes, which are
 * outside of it. Includes some tens of KiB of the measurement itself. Garbage is not collected first: that
 * would discard compiled code, and interpreted code allocates every number.
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

/** Used bytes, of the heap and of external memory, after a garbage collection. */
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
