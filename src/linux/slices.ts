import { setImmediate } from 'node:timers';

/** The main thread does other things after this long; a step after it may take as long again. */
const sliceMs = 2;

/**
 * Divides long work on the main thread into slices, between which timers, servers and signals have their turn. All works
 * share one slice in a turn of the event loop: ten of them, side by side or one after the other, hold it no longer than one.
 */
export class Slices {
  readonly #nowMs: () => number;
  /** Undefined: in this turn of the event loop nothing has worked in slices yet. */
  #endMs: number | undefined;
  /** Works that go on in one of the next turns, one in each. */
  readonly #waiting: (() => void)[] = [];

  /** @param nowMs a monotonic clock */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Whether others are to run before the work goes on. */
  get isOver(): boolean {
    const nowMs = this.#nowMs();
    this.#endMs ??= this.#begin(nowMs);
    return nowMs >= this.#endMs;
  }

  /** Lets others run; then the next slice begins. */
  letOthersRun(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) setImmediate(() => this.#continue());
    });
  }

  #begin(nowMs: number): number {
    const endMs = nowMs + sliceMs;
    setImmediate(() => {
      // In the next turn of the event loop, unless a slice has begun before this.
      if (this.#endMs === endMs) this.#endMs = undefined;
    });
    return endMs;
  }

  #continue(): void {
    const resolve = this.#waiting.shift();
    if (this.#waiting.length > 0) setImmediate(() => this.#continue());
    this.#endMs = this.#begin(this.#nowMs());
    resolve?.();
  }
}

/** Those of this thread. */
export const slices = new Slices(() => performance.now());

/** Takes the steps of long work, and lets others run in between whenever they have taken a while. */
export async function runInSlices<Result>(
  steps: Generator<void, Result>,
  thread: Slices = slices,
): Promise<Result> {
  for (;;) {
    if (thread.isOver) await thread.letOthersRun();
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** All items of a long iteration, each of which is work. */
export async function collectInSlices<Item>(items: Iterable<Item>): Promise<readonly Item[]> {
  return runInSlices(collect(items));
}

function* collect<Item>(items: Iterable<Item>): Generator<void, readonly Item[]> {
  const collected: Item[] = [];
  for (const item of items) {
    collected.push(item);
    yield;
  }
  return collected;
}
