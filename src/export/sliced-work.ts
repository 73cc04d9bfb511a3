/** How long others may have to wait. */
const sliceMs = 2;

/** Something that yields wherever others may take their turn. */
export type Steps = Generator<void, void>;

/**
 * Does work in the order in which it came, at once as far as that takes a few milliseconds, and the rest in the turns of the
 * event loop that follow.
 */
export class SlicedWork {
  readonly #waiting: Steps[] = [];
  readonly #onFailure: (error: unknown) => void;
  #idle: Promise<void> | undefined;
  #end: () => void = () => {};

  /** @param onFailure called with what was thrown in a later turn: that work ends there, and the next one begins */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Whether something waits for its turn. */
  get isBusy(): boolean {
    return this.#idle !== undefined;
  }

  /** Fulfilled when nothing waits. */
  settle(): Promise<void> {
    return this.#idle ?? Promise.resolve();
  }

  /** @throws what the work throws at once */
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

  /** @returns whether it is done */
  #advance(steps: Steps): boolean {
    try {
      return steps.next().done === true;
    } catch (error) {
      this.#waiting.shift();
      throw error;
    }
  }

  /** @returns whether everything is done */
  #work(): boolean {
    const endMs = performance.now() + sliceMs;
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      if (this.#advance(first)) this.#waiting.shift();
      else if (performance.now() >= endMs) return false;
    }
    return true;
  }
}
