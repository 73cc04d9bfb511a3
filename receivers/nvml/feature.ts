import { success, type NvmlLibrary } from './library.js';

/** A value or several values of a device that one call reads, without allocating. */
export interface Feature {
  /** For messages: `power limit`. */
  readonly name: string;
  /** Its columns, in order; see `columns.ts`. */
  readonly columns: readonly string[];
  /**
   * Reads into `values` from index `at` on, in SI units. @returns the return code of NVML; values that could
   * not be read are NaN
   */
  read(values: Float64Array, at: number): number;
  /** Columns that could not be read in the last call, although it succeeded, and their return codes. */
  readonly failures?: readonly Failure[];
}

/** What could not be read, and the return code of NVML. */
export type Failure = readonly [what: string, status: number];

/** A device and its library. */
export interface Handle {
  readonly library: NvmlLibrary;
  readonly device: number;
}

/** Converts the result of a call to SI units. Divides, since 72442 * 1e-3 is not exactly 72.442. */
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

/** A call that returns an unsigned integer. */
interface Scalar {
  readonly name: string;
  readonly column: string;
  readonly symbol: string;
  readonly scale: Scale;
  /** The second argument, if the call has one: the kind of value. */
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
