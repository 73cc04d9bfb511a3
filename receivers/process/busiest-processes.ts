/** Half-life of CPU time in the ranking. */
const halfLifeMs = 30_000;

/**
 * Estimates how much recent CPU time a process needs to be among the busiest, based on the previous scan. The
 * files of the busiest processes are read at every scan.
 */
export class BusiestProcesses {
  readonly #count: number;
  readonly #decay: number;
  #weights = new Float64Array(1024);
  #size = 0;
  #minNs = 0;

  /**
   * @param count number of busiest processes; 0: all
   * @param intervalMs time between two scans
   */
  constructor(count: number, intervalMs: number) {
    this.#count = count;
    this.#decay = 2 ** (-intervalMs / halfLifeMs);
  }

  /** Begins a scan. */
  begin(): void {
    const isCut = this.#count > 0 && this.#size > this.#count;
    const weights = this.#weights.subarray(0, this.#size);
    this.#minNs = isCut ? (weights.toSorted()[this.#size - this.#count] ?? 0) : 0;
    this.#size = 0;
  }

  /**
   * Weighs a process that has run. An idle process is weighed when it runs again, as if it had run the whole
   * time.
   * @returns its new weight
   */
  weigh(weightNs: number, grownNs: number): number {
    const weight = weightNs * this.#decay + grownNs;
    if (this.#size === this.#weights.length) this.#grow();
    this.#weights[this.#size++] = weight;
    return weight;
  }

  /** Whether a process with this weight is one of the busiest. */
  has(weightNs: number): boolean {
    return weightNs >= this.#minNs;
  }

  #grow(): void {
    const weights = new Float64Array(this.#weights.length * 2);
    weights.set(this.#weights);
    this.#weights = weights;
  }
}
