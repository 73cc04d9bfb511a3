import { OpenWindow } from './window.js';

export interface WindowOptions {
  readonly intervalNs: number;
  readonly lagWindows: number;
  /** Current number of series and groups. */
  countSlots(): number;
}

/** The windows that have not been forwarded, in order. */
export class OpenWindows {
  readonly intervalNs: number;
  /** How many windows before the newest one may be open. */
  readonly lagWindows: number;
  /** The number of the first window that has not been forwarded. */
  first = -Infinity;
  readonly #countSlots: () => number;
  readonly #free: OpenWindow[] = [];
  #open: OpenWindow[] = [];

  constructor({ intervalNs, lagWindows, countSlots }: WindowOptions) {
    this.intervalNs = intervalNs;
    this.lagWindows = lagWindows;
    this.#countSlots = countSlots;
  }

  get list(): readonly OpenWindow[] {
    return this.#open;
  }

  /** The window of an instant, passed in an array; for an instant before all open windows, the first open one. */
  findAt(instant: Float64Array): OpenWindow {
    return this.find(Math.max(this.first, Math.ceil(instant[0] / this.intervalNs)));
  }

  /** The window with a number, which is created if necessary. */
  find(number: number): OpenWindow {
    let index = this.#open.length;
    while (index > 0 && this.#open[index - 1].number > number) index -= 1;
    const known = this.#open[index - 1];
    if (known?.number === number) return known;
    const window = this.#free.pop() ?? new OpenWindow();
    window.begin(number, this.intervalNs, this.#countSlots());
    this.#open.splice(index, 0, window);
    return window;
  }

  /** There are new series. */
  reserve(): void {
    for (const window of this.#open) window.reserve(this.#countSlots());
  }

  /** Removes the first window if it ends at this instant, or before. */
  takeBefore(instant: number): OpenWindow | undefined {
    const [window] = this.#open;
    if (window === undefined || window.endAt > instant) return undefined;
    this.#open.shift();
    this.first = window.number + 1;
    return window;
  }

  /** Returns a removed window for reuse. */
  recycle(window: OpenWindow): void {
    if (this.#free.length < maxFree) this.#free.push(window);
  }
}

const maxFree = 4;
