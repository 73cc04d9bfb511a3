import { describeError } from '../../src/errors.js';
import { koffi } from '../../src/linux/koffi.js';
import { addressOf } from '../../src/linux/libc.js';

/** Return codes of NVML that are treated differently; all others are transient failures. nvml.h, `nvmlReturn_t`. */
export const success = 0;
export const notFound = 6;
export const insufficientSize = 7;
/** The library has no such function: not a code of NVML's own. */
export const missingSymbol = -1;

const names: ReadonlyMap<number, string> = new Map([
  [missingSymbol, 'not in this version of the library'],
  [1, 'not initialized'],
  [2, 'invalid argument'],
  [3, 'not supported'],
  [4, 'no permission'],
  [6, 'not found'],
  [7, 'insufficient size'],
  [9, 'driver not loaded'],
  [10, 'timeout'],
  [11, 'interrupt problem'],
  [12, 'library not found'],
  [13, 'function not found'],
  [15, 'GPU is lost'],
  [16, 'GPU needs a reset'],
  [17, 'blocked by the operating system'],
  [18, 'driver and library have different versions'],
  [20, 'insufficient memory'],
  [21, 'no data'],
  [25, 'version of an argument not known'],
  [26, 'deprecated'],
  [27, 'not ready'],
  [28, 'no GPU found'],
  [29, 'invalid state'],
  [999, 'unknown error'],
]);

/** A return code in words, with its number. */
export function describeStatus(status: number): string {
  const name = names.get(status) ?? 'error';
  return status < 0 ? name : `${name} (NVML ${status})`;
}

/** Whether a device cannot do this, so that asking again is of no use until it was reset. */
export function isUnsupported(status: number): boolean {
  return [missingSymbol, 2, 3, 4, 13, 25, 26].includes(status);
}

/** Whether the handle is of no use any more: the GPU was lost or reset, or the driver was unloaded. */
export function isLost(status: number): boolean {
  return [1, 9, 15, 16, 18, 28].includes(status);
}

/** A call of NVML failed. */
export class NvmlError extends Error {
  override readonly name = 'NvmlError';
  readonly status: number;

  constructor(what: string, status: number) {
    super(`Cannot ${what}: ${describeStatus(status)}`);
    this.status = status;
  }
}

/** A C function that returns an `nvmlReturn_t`: handles, addresses and numbers go in as numbers. */
export type NvmlFunction = (...args: readonly number[]) => number;

/** Memory that C functions write to: one call at a time uses it, and reads it before the next. */
export class Scratch {
  readonly address: number;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly length: number;

  constructor(length: number) {
    const memory = new ArrayBuffer(length);
    this.length = length;
    this.address = addressOf(memory);
    this.view = new DataView(memory);
    this.bytes = new Uint8Array(memory);
  }

  u32(at = 0): number {
    return this.view.getUint32(at, true);
  }

  /** Beyond 2^53 the nearest double. */
  u64(at = 0): number {
    return Number(this.view.getBigUint64(at, true));
  }

  /** A text that ends with a zero. */
  text(at = 0): string {
    const end = this.bytes.indexOf(0, at);
    return Buffer.from(this.bytes.subarray(at, end < 0 ? undefined : end)).toString('utf8');
  }
}

/** libnvidia-ml, as loaded in this thread. Its functions block for up to 30 ms, some for longer. */
export class NvmlLibrary {
  readonly scratch = new Scratch(4096);
  readonly #library: ReturnType<typeof koffi.load>;
  readonly #functions = new Map<string, NvmlFunction>();

  /** @throws Error when the dynamic linker cannot load it */
  constructor(path: string) {
    try {
      this.#library = koffi.load(path);
    } catch (error) {
      throw new Error(`Cannot load "${path}": ${describeError(error)}`, { cause: error });
    }
  }

  /**
   * @param parameters as in nvml.h, pointers as uintptr_t
   * @returns a function that gives `missingSymbol` where the library lacks it
   */
  find(name: string, parameters: string): NvmlFunction {
    const known = this.#functions.get(name);
    if (known) return known;
    const found = this.#declare(`int ${name}(${parameters})`);
    this.#functions.set(name, found);
    return found;
  }

  /** The library must not be used any more. */
  unload(): void {
    this.#functions.clear();
    this.#library.unload();
  }

  /** @throws NvmlError */
  check(what: string, status: number): void {
    if (status !== success) throw new NvmlError(what, status);
  }

  /** A text of a device; undefined where it has none. */
  readText(name: string, device: number): string | undefined {
    const { scratch } = this;
    const read = this.find(name, 'uintptr_t device, uintptr_t text, unsigned int length');
    scratch.bytes.fill(0, 0, 256);
    return read(device, scratch.address, 256) === success ? scratch.text() : undefined;
  }

  /** An unsigned integer of a device; undefined where it has none. */
  readNumber(name: string, device: number): number | undefined {
    const { scratch } = this;
    const read = this.find(name, 'uintptr_t device, uintptr_t value');
    return read(device, scratch.address) === success ? scratch.u32() : undefined;
  }

  #declare(prototype: string): NvmlFunction {
    try {
      return this.#library.func(prototype) as NvmlFunction;
    } catch {
      return () => missingSymbol;
    }
  }
}
