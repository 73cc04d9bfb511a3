/** Node's pool has four threads by default, and files, names of hosts and compression need some of them. */
const maxThreads = 2;

/**
 * The threads of Node's pool that readings of one receiver may use at the same time. A driver that hangs keeps its
 * thread: without this limit, four of them would stop everything else that needs the pool.
 */
export class PoolShare {
  #free = maxThreads;
  readonly #waiting: (() => void)[] = [];

  /** Whether a task would have to wait for an earlier one. */
  get isTaken(): boolean {
    return this.#free === 0;
  }

  /** Runs a task as soon as there is a thread for it, in the order of the calls. */
  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
