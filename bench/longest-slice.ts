import { setImmediate } from 'node:timers/promises';
import { readThreadCpuNs } from '../src/linux/clocks.js';

/** @returns maximum CPU time in milliseconds of the main thread between two turns of the event loop */
export async function measureLongestMs(work: () => Promise<unknown>): Promise<number> {
  const progress = { isDone: false };
  let [lastNs, longestNs] = [readThreadCpuNs(), 0];
  void work().then(() => (progress.isDone = true));
  while (!progress.isDone) {
    await setImmediate();
    const nowNs = readThreadCpuNs();
    longestNs = Math.max(longestNs, nowNs - lastNs);
    lastNs = nowNs;
  }
  return longestNs / 1e6;
}
