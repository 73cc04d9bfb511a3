/** In OpenMetrics, the start of a process in Unix seconds; most client libraries provide it. */
export const processStart = 'process_start_time_seconds';

/** Which samples of a page are the starts of counters. */
export class Starts {
  readonly #usesProcessStart: boolean;
  /** Slots, by the key of the samples that start. */
  readonly #slots = new Map<string, number>();
  /** The key of a start, by slot. */
  readonly #keys: (string | undefined)[] = [];

  /** @param usesProcessStart whether the process start applies to counters without a start */
  constructor(usesProcessStart: boolean) {
    this.#usesProcessStart = usesProcessStart;
  }

  /** @param key from `createStartKey`, or `processStart` */
  add(key: string, slot: number): void {
    this.#slots.set(key, slot);
    this.#keys[slot] = key;
  }

  /** Does nothing if the sample of this slot is not a start. */
  remove(slot: number): void {
    const key = this.#keys[slot];
    if (key === undefined) return;
    this.#keys[slot] = undefined;
    if (this.#slots.get(key) === slot) this.#slots.delete(key);
  }

  /** The slot of a counter's start; -1 if the page does not have it. */
  slotOf(key: string): number {
    const fallback = this.#usesProcessStart ? this.#slots.get(processStart) : undefined;
    return this.#slots.get(key) ?? fallback ?? -1;
  }
}
