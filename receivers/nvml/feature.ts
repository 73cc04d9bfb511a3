import { success, type NvmlLibrary } from './library.js';

/** Something of a device that one call reads. Allocates nothing at a reading. */
export interface Feature {
  /** For people: `power limit`. */
  readonly name: string;
  /** Its columns, in order; see `columns.ts`. */
  readonly columns: readonly string[];
  /** Reads into `values` from `at` on, in SI units. @returns the code of NVML; what it could not read is NaN */
  read(values: Float64Array, at: number): number;
}

/** A device as the library knows it. */
export interface Handle {
  readonly library: NvmlLibrary;
  readonly device: number;
}

/** Makes SI units of what a call gives. Divides, since 72442 * 1e-3 is not 72.442. */
export type Scale = (value: number) => number;

export const same: Scale = (value) => value;
export const nano: Scale = (value) => value / 1e9;
export const milli: Scale = (value) => value / 1e3;
export const percent: Scale = (value) => value / 100;
export const kilo: Scale = (value) => value * 1e3;
export const kibi: Scale = (value) => value * 1024;
export const mega: Scale = (value) => value * 1e6;

export const wholeDevice = 'uintptr_t device, uintptr_t value';
const selected = 'uintptr_t device, int which, uintptr_t value';

/** An unsigned integer that a call gives. */
interface Scalar {
  readonly name: string;
  readonly column: string;
  readonly symbol: string;
  readonly scale: Scale;
  /** Where the call wants one: which of several. */
  readonly which?: number;
}

export function bindScalar(
  { library, device }: Handle,
  { name, column, symbol, scale, which }: Scalar,
): Feature {
  const { address } = library.scratch;
  const call = library.find(symbol, which === undefined ? wholeDevice : selected);
  const read = which === undefined ? () => call(device, address) : () => call(device, which, address);
  return createFeature(name, column, read, () => scale(library.scratch.u32()));
}

export function createFeature(name: string, column: string, call: () => number, take: () => number): Feature {
  return {
    name,
    columns: [column],
    read(values, at) {
      const status = call();
      values[at] = status === success ? take() : NaN;
      return status;
    },
  };
}
