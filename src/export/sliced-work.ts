/** Maximum uninterrupted work. */
const sliceMs = 2;

/** A generator that yields wherever other work may run. */
export type Steps = Generator<void, void>;

/**
 * Runs work in order of arrival: immediately for up to a few milliseconds, and the rest in later turns of the
 * event loop.
 */
export class SlicedWork {
  readonly #waiting: Steps[] = [];
  readonly #onFailure: (error: unknown) => void;
  #idle: Promise<void> | undefined;
  #end: () => void = () => {};

  /** @param onFailure called with an error thrown in a later turn: that work ends, and the next starts */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Whether work is waiting. */
  get isBusy(): boolean {
    return this.#idle !== undefined;
  }

  /** Fulfilled when no work is waiting. */
  settle(): Promise<void> {
    return this.#idle ?? Promise.resolve();
  }

  /** @throws what the work throws in this turn */
  add(steps: Steps): void {
    this.#waiting.push(steps);
    if (this.isBusy || this.#work()) return;
    this.#idle = new Promise((resolve) => (this.#end = resolve));
    setImmediate(() => this.#goOn());
  }

  #goOn(): void {
    try {
      if (this.#work()) {
        this.#idle = undefined;
        this.#end();
        return;
      }
    } catch (error) {
      this.#onFailure(error);
    }
    setImmediate(() => this.#goOn());
  }

  /** @returns whether the work is done */
  #advance(steps: Steps): boolean {
    try {
      return steps.next().done === true;
    } catch (error) {
      this.#waiting.shift();
      throw error;
    }
  }

  /** @returns whether all work is done */
  #work(): boolean {
    const endMs = performance.now() + sliceMs;
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      if (this.#advance(first)) this.#waiting.shift();
      else if (performance.now() >= endMs) return false;
    }
    return true;
  }
}
