import { writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers';
import { isMainThread } from 'node:worker_threads';
import { readThreadCpuNs } from '../src/linux/clocks.js';

// Preloaded into an agent. Measures every turn of its event loop in CPU time of the main thread: unlike the agent's own
// figure, which is in wall time, it does not depend on what else uses the CPUs. SIGUSR2 writes what was measured since
// the last one to a file, which this variable names: the longest turn in milliseconds, and the number of long ones.
export const slicesVariable = 'JOULEMETRY_BENCH_SLICES';

const longNs = 5e6;
const path = process.env[slicesVariable];

function watchSlices(file: string): void {
  let [lastNs, longestNs, long] = [readThreadCpuNs(), 0, 0];
  const turn = () => {
    const nowNs = readThreadCpuNs();
    longestNs = Math.max(longestNs, nowNs - lastNs);
    if (nowNs - lastNs > longNs) long += 1;
    lastNs = nowNs;
    setImmediate(turn).unref();
  };
  turn();
  process.on('SIGUSR2', () => {
    writeFileSync(file, `${longestNs / 1e6} ${long}\n`);
    [lastNs, longestNs, long] = [readThreadCpuNs(), 0, 0];
  });
}

if (isMainThread && path !== undefined) watchSlices(path);
