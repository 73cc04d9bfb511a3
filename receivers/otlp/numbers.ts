/** Capacity for more numbers is not kept when they are removed. */
export const maxKept = 100_000;
const firstCapacity = 64;

/** A growing list of numbers that keeps its capacity when it is cleared, unless there were many. */
export class Numbers {
  values = new Float64Array(firstCapacity);
  length = 0;
  #view = this.values;

  /** The numbers, valid until the next one is added. The same array is returned as long as the length is the same. */
  get view(): Float64Array {
    if (this.#view.length !== this.length || this.#view.buffer !== this.values.buffer)
      this.#view = this.values.subarray(0, this.length);
    return this.#view;
  }

  push(value: number): void {
    if (this.length === this.values.length) this.#grow();
    this.values[this.length] = value;
    this.length += 1;
  }

  clear(): void {
    if (this.length > maxKept) this.values = new Float64Array(firstCapacity);
    this.length = 0;
  }

  /** Removes the first numbers. */
  removeFirst(count: number): void {
    if (count === this.length) {
      this.clear();
      return;
    }
    this.values.copyWithin(0, count, this.length);
    this.length -= count;
  }

  #grow(): void {
    const wider = new Float64Array(2 * this.length);
    wider.set(this.values);
    this.values = wider;
  }
}
