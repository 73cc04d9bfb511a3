/** What a process used this long ago counts half. */
const halfLifeMs = 30_000;

/**
 * Knows how much CPU time a process must have used lately to be among the busiest, as of the scan before: those have
 * their files read at every scan.
 */
export class BusiestProcesses {
  readonly #count: number;
  readonly #decay: number;
  #weights = new Float64Array(1024);
  #size = 0;
  #minNs = 0;

  /**
   * @param count how many are the busiest; 0: all
   * @param intervalMs between two scans
   */
  constructor(count: number, intervalMs: number) {
    this.#count = count;
    this.#decay = 2 ** (-intervalMs / halfLifeMs);
  }

  /** A scan begins. */
  begin(): void {
    const isCut = this.#count > 0 && this.#size > this.#count;
    const weights = this.#weights.subarray(0, this.#size);
    this.#minNs = isCut ? (weights.toSorted()[this.#size - this.#count] ?? 0) : 0;
    this.#size = 0;
  }

  /**
   * Weighs a process that has run; what has not is weighed when it does, as if it had run all the time.
   * @returns its new weight
   */
  weigh(weightNs: number, grownNs: number): number {
    const weight = weightNs * this.#decay + grownNs;
    if (this.#size === this.#weights.length) this.#grow();
    this.#weights[this.#size++] = weight;
    return weight;
  }

  /** Whether a process of this weight is among them. */
  has(weightNs: number): boolean {
    return weightNs >= this.#minNs;
  }

  #grow(): void {
    const weights = new Float64Array(this.#weights.length * 2);
    weights.set(this.#weights);
    this.#weights = weights;
  }
}
