import type { ReadingLoop, ReadingLoops } from '../component/reading-loop.js';

/** Records the loops that start, for tests. */
export function createLoopCollector(): ReadingLoops & { readonly loops: ReadingLoop[] } {
  const loops: ReadingLoop[] = [];
  return {
    loops,
    join(loop) {
      loops.push(loop);
      return () => loops.splice(loops.indexOf(loop), 1);
    },
  };
}
