import { setImmediate } from 'node:timers/promises';

/** The main thread does other things after this long; a step after it may take as long again. */
const sliceMs = 2;

/** Divides long work on the main thread into slices, between which timers, servers and signals have their turn. */
export class Slices {
  #endMs = performance.now() + sliceMs;

  /** Whether others are to run before the work goes on. */
  get isOver(): boolean {
    return performance.now() >= this.#endMs;
  }

  /** Lets others run; then the next slice begins. */
  async letOthersRun(): Promise<void> {
    await setImmediate();
    this.#endMs = performance.now() + sliceMs;
  }
}

/** Takes the steps of long work, and lets others run in between whenever they have taken a while. */
export async function runInSlices<Result>(steps: Generator<void, Result>): Promise<Result> {
  const slices = new Slices();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (slices.isOver) await slices.letOthersRun();
  }
}

/** All items of a long iteration, each of which is work. */
export async function collectInSlices<Item>(items: Iterable<Item>): Promise<readonly Item[]> {
  const slices = new Slices();
  const collected: Item[] = [];
  for (const item of items) {
    collected.push(item);
    if (slices.isOver) await slices.letOthersRun();
  }
  return collected;
}
