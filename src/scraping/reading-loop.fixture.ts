import type { ReadingLoop, ReadingLoops } from '../component/reading-loop.js';

/** Keeps the loops that begin, for tests. */
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
