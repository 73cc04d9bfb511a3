import { setImmediate } from 'node:timers/promises';

/** The main thread does other things after this long. */
const sliceMs = 2;

/** Takes the steps of long work, and lets others run in between whenever they have taken a while. */
export async function runInSlices<Result>(steps: Generator<void, Result>): Promise<Result> {
  for (let sliceEndMs = performance.now() + sliceMs; ;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() < sliceEndMs) continue;
    await setImmediate();
    sliceEndMs = performance.now() + sliceMs;
  }
}
