import { setImmediate } from 'node:timers';

/** Work on the main thread yields after this long; the last step may take as long again. */
const sliceMs = 2;

/**
 * Divides long work on the main thread into slices, between which timers, servers and signals are handled. All
 * work shares one slice per turn of the event loop: ten tasks, concurrent or consecutive, block it no longer
 * than one.
 */
export class Slices {
  readonly #nowMs: () => number;
  /** Undefined: nothing has worked in this turn of the event loop yet. */
  #endMs: number | undefined;
  /** Tasks that will continue, one in each of the next turns. */
  readonly #waiting: (() => void)[] = [];

  /** @param nowMs a monotonic clock */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Whether other work should run before this work continues. */
  get isOver(): boolean {
    const nowMs = this.#nowMs();
    this.#endMs ??= this.#begin(nowMs);
    return nowMs >= this.#endMs;
  }

  /** Yields to other work; then the next slice starts. */
  letOthersRun(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) setImmediate(() => this.#continue());
    });
  }

  #begin(nowMs: number): number {
    const endMs = nowMs + sliceMs;
    setImmediate(() => {
      // In the next turn of the event loop, unless another slice has started before.
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

/** The slices of this thread. */
export const slices = new Slices(() => performance.now());

/**
 * Resolves after the code that waits for promises which are already resolved has run, and the code that waits for
 * that in turn. Its work then belongs to the slice of the code that resolved them.
 */
export function letWaitingRun(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

/** Runs the steps of long work, and yields to other work periodically. */
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

/** Runs the steps of long work in one piece, where nothing else has to run. */
export function runAtOnce<Result>(steps: Generator<void, Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Collects the items of a long iteration, in slices. */
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
