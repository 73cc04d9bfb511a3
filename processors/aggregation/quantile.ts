/** Receives a number, since a returned number would be allocated on the heap. */
export interface Cell {
  readonly values: Float64Array;
  readonly cell: number;
}

/** The readings of one window, for quantiles. The memory is reused for the next window. */
export class Readings {
  readonly #max: number;
  #values = new Float64Array(16);
  #count = 0;

  /** @param max maximum number of readings; with more, there is no quantile */
  constructor(max: number) {
    this.#max = max;
  }

  /** The value is passed in an array to avoid allocation. */
  add(values: Float64Array, cell: number): void {
    if (this.#count >= this.#values.length) this.#enlarge();
    if (this.#count < this.#values.length) this.#values[this.#count] = values[cell];
    this.#count += 1;
  }

  clear(): void {
    this.#count = 0;
  }

  /**
   * Writes the exact quantile, with linear interpolation: numpy's default, type 7 of Hyndman and Fan. NaN:
   * there are no readings, or too many. Reorders the readings.
   * @param quantile from 0 to 1
   */
  writeQuantile(quantile: number, target: Cell): void {
    const count = this.#count;
    const readings = this.#values;
    const rank = quantile * (count - 1);
    const below = Math.floor(rank);
    let result = NaN;
    if (count > 0 && count <= this.#max) {
      this.#select(below);
      result = readings[below];
      if (rank > below) {
        // All readings after the selected one are at least as large.
        let next = Infinity;
        for (let i = below + 1; i < count; i++) if (readings[i] < next) next = readings[i];
        result += (next - result) * (rank - below);
      }
    }
    target.values[target.cell] = result;
  }

  #enlarge(): void {
    const size = Math.min(this.#max, 2 * this.#values.length);
    if (size <= this.#values.length) return;
    const larger = new Float64Array(size);
    larger.set(this.#values);
    this.#values = larger;
  }

  /**
   * Moves the reading of a rank, from 0, to its index, with smaller ones before and larger ones after it
   * (Hoare's FIND). The median of three as pivot avoids quadratic time for sorted readings.
   */
  #select(rank: number): void {
    const values = this.#values;
    let from = 0;
    let to = this.#count - 1;
    while (from < to) {
      const pivot = middleOf(values[from], values[(from + to) >>> 1], values[to]);
      let left = from;
      let right = to;
      while (left <= right) {
        while (values[left] < pivot) left += 1;
        while (values[right] > pivot) right -= 1;
        if (left <= right) {
          const value = values[left];
          values[left++] = values[right];
          values[right--] = value;
        }
      }
      if (rank <= right) to = right;
      else if (rank >= left) from = left;
      else return;
    }
  }
}

function middleOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
