import { describeError } from '../errors.js';
import { koffi } from './koffi.js';
import { addressOf } from './libc.js';

/** The result of functions that the library does not have; not a status of any library. */
export const missingSymbol = -1;

/** A C function that returns a status: handles, addresses and numbers are passed as numbers. */
export type StatusFunction = (...args: readonly number[]) => number;

/** Memory for output of C functions: one call at a time uses it, and its result is read before the next call. */
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

  /** A zero-terminated text. */
  text(at = 0): string {
    const end = this.bytes.indexOf(0, at);
    return Buffer.from(this.bytes.subarray(at, end < 0 ? undefined : end)).toString('utf8');
  }
}

/** A driver library that may be missing, or older than required. */
export class OptionalLibrary {
  readonly #library: ReturnType<typeof koffi.load>;
  readonly #functions = new Map<string, StatusFunction>();

  /** @throws Error if the dynamic linker cannot load it */
  constructor(path: string) {
    try {
      this.#library = koffi.load(path);
    } catch (error) {
      throw new Error(`Cannot load "${path}": ${describeError(error)}`, { cause: error });
    }
  }

  /**
   * @param parameters as in the header of the library, pointers as uintptr_t
   * @returns a function that returns `missingSymbol` if the library does not have it
   */
  find(name: string, parameters: string): StatusFunction {
    const known = this.#functions.get(name);
    if (known) return known;
    const found = this.#declare(`unsigned int ${name}(${parameters})`);
    this.#functions.set(name, found);
    return found;
  }

  /** Unloads the library, which must not be used afterwards. */
  unload(): void {
    this.#functions.clear();
    this.#library.unload();
  }

  #declare(prototype: string): StatusFunction {
    try {
      return this.#library.func(prototype) as StatusFunction;
    } catch {
      return () => missingSymbol;
    }
  }
}
