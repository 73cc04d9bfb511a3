import { describeColumn, rangeOf } from './columns.js';
import type { Device } from './protocol.js';

/** A counter of microjoules does not reach this in decades, at any power of a GPU. */
const maxMicrojoules = 1e19;

/** Finds implausible values in columns that had a value before. */
export class ValueWatch {
  /** One for each such value of the last reading. */
  problems: readonly string[] = [];
  readonly #device: Device;
  /** For each column, the values that it can have. */
  readonly #ranges: readonly (readonly [min: number, max: number])[];
  readonly #wasRead: Uint8Array;

  constructor(device: Device) {
    this.#device = device;
    this.#ranges = device.columns.map((id) => {
      const column = describeColumn(id);
      return column ? rangeOf(column) : [0, maxMicrojoules];
    });
    this.#wasRead = new Uint8Array(device.columns.length);
  }

  /** @param values one per column; NaN: no reading */
  take(values: Float64Array): void {
    const problems: string[] = [];
    for (const [i, [min, max]] of this.#ranges.entries()) {
      const value = values[i] ?? NaN;
      if (value >= min && value <= max) this.#wasRead[i] = 1;
      else if (!Number.isNaN(value) && this.#wasRead[i] === 1) problems.push(this.#describe(i, value));
    }
    this.problems = problems;
  }

  #describe(index: number, value: number): string {
    const { columns, name, id } = this.#device;
    const [min, max] = this.#ranges[index] ?? [];
    return `Cannot read ${columns[index]} of "${name}" (${id}): expected ${min} to ${max}, found ${value}`;
  }
}
