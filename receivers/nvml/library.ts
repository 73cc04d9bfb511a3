import {
  missingSymbol,
  OptionalLibrary,
  Scratch,
  type StatusFunction,
} from '../../src/linux/optional-library.js';

/** NVML return codes with special handling; all others are transient failures. nvml.h, `nvmlReturn_t`. */
export const success = 0;
export const notFound = 6;
export const insufficientSize = 7;
const blockedBySystem = 17;

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
  [blockedBySystem, 'blocked by the operating system'],
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

/** Describes a return code, including its number. */
export function describeStatus(status: number): string {
  const name = names.get(status) ?? 'error';
  return status < 0 ? name : `${name} (NVML ${status})`;
}

/** Whether a device does not support a call, so that it need not be repeated before a reset. */
export function isUnsupported(status: number): boolean {
  return [missingSymbol, 2, 3, 4, 13, 25, 26].includes(status);
}

/** Whether the handle is invalid: the GPU was lost or reset, or the driver was unloaded. */
export function isLost(status: number): boolean {
  return [1, 9, 15, 16, 18, 28].includes(status);
}

/** Whether a call that failed may succeed later, without any change of rights or of the library. */
export function isTransient(status: number): boolean {
  return status !== success && !isUnsupported(status) && status !== blockedBySystem;
}

/** A failed call of NVML. */
export class NvmlError extends Error {
  override readonly name = 'NvmlError';
  readonly status: number;

  constructor(what: string, status: number) {
    super(`Cannot ${what}: ${describeStatus(status)}`);
    this.status = status;
  }
}

/** libnvidia-ml, loaded in this thread. Its functions block for up to 30 ms, some for longer. */
export class NvmlLibrary {
  readonly scratch = new Scratch(4096);
  readonly #library: OptionalLibrary;

  /** @throws Error if the dynamic linker cannot load it */
  constructor(path: string) {
    this.#library = new OptionalLibrary(path);
  }

  /**
   * @param parameters as in nvml.h, with pointers as uintptr_t
   * @returns the function, or one that returns `missingSymbol` if the library lacks it
   */
  find(name: string, parameters: string): StatusFunction {
    return this.#library.find(name, parameters);
  }

  /** Unloads the library, which must not be used afterwards. */
  unload(): void {
    this.#library.unload();
  }

  /** @throws NvmlError */
  check(what: string, status: number): void {
    if (status !== success) throw new NvmlError(what, status);
  }

  /** Reads a string of a device; undefined if it has none. */
  readText(name: string, device: number): string | undefined {
    const found = this.tryText(name, device);
    return typeof found === 'string' ? found : undefined;
  }

  /** Reads a string of a device. @returns the return code if that fails */
  tryText(name: string, device: number): string | number {
    const { scratch } = this;
    const read = this.find(name, 'uintptr_t device, uintptr_t text, unsigned int length');
    scratch.bytes.fill(0, 0, 256);
    const status = read(device, scratch.address, 256);
    return status === success ? scratch.text() : status;
  }

  /** Reads an unsigned integer of a device; undefined if it has none. */
  readNumber(name: string, device: number): number | undefined {
    const { scratch } = this;
    const read = this.find(name, 'uintptr_t device, uintptr_t value');
    return read(device, scratch.address) === success ? scratch.u32() : undefined;
  }
}
