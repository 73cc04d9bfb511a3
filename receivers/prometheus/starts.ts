/** In OpenMetrics, the start of a process in Unix seconds; most client libraries have it. */
export const processStart = 'process_start_time_seconds';

/** Which samples of a page say when counters were 0. */
export class Starts {
  readonly #usesProcessStart: boolean;
  /** Slots, by what starts then. */
  readonly #slots = new Map<string, number>();

  /** @param usesProcessStart whether that of the process holds for counters that do not say it themselves */
  constructor(usesProcessStart: boolean) {
    this.#usesProcessStart = usesProcessStart;
  }

  /** @param key that of `createStartKey`, or `processStart` */
  add(key: string, slot: number): void {
    this.#slots.set(key, slot);
  }

  remove(slots: ReadonlySet<number>): void {
    for (const [key, slot] of this.#slots) if (slots.has(slot)) this.#slots.delete(key);
  }

  /** Where the start of a counter stands; -1 when the page does not say it. */
  slotOf(key: string): number {
    const fallback = this.#usesProcessStart ? this.#slots.get(processStart) : undefined;
    return this.#slots.get(key) ?? fallback ?? -1;
  }
}
