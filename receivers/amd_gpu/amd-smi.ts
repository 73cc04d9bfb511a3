import type { CardFeature } from '../../src/gpu/card-reader.js';
import { missingSymbol, OptionalLibrary, Scratch } from '../../src/linux/optional-library.js';
import { listCalls, powerOffsets, type Call } from './amd-smi-calls.js';

const success = 0;
/** AMDSMI_INIT_AMD_GPUS. */
const gpus = 2;
const maxHandles = 256;

const names: ReadonlyMap<number, string> = new Map([
  [missingSymbol, 'not in this version of the library'],
  [1, 'invalid argument'],
  [2, 'not supported'],
  [3, 'not implemented'],
  [5, 'symbol not found'],
  [7, 'call failed'],
  [10, 'no permission'],
  [12, 'I/O error'],
  [14, 'file error'],
  [30, 'device busy'],
  [31, 'device not found'],
  [32, 'not initialized'],
  [34, 'driver not loaded'],
  [40, 'no data'],
  [43, 'unexpected data'],
  [52, 'file not found'],
]);

function describeStatus(status: number): string {
  const name = names.get(status) ?? 'error';
  return status < 0 ? name : `${name} (AMD SMI ${status})`;
}

/** Whether a GPU does not support a function, so that it need not be called again. */
function isUnsupported(status: number): boolean {
  return [missingSymbol, 1, 2, 3, 5, 10, 40, 52].includes(status);
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** libamd_smi, initialized in this thread. */
export class AmdSmi {
  /** `26.0.2`. */
  readonly version: string;
  readonly #library: OptionalLibrary;
  readonly #scratch = new Scratch(8 * maxHandles + 8);
  readonly #calls: readonly Call[];

  /** @throws Error if it cannot be loaded or initialized, or its version is unknown */
  constructor(path: string) {
    this.#library = new OptionalLibrary(path);
    try {
      const status = this.#library.find('amdsmi_init', 'uint64_t flags')(gpus);
      if (status !== success) throw new Error(`Cannot initialize "${path}": ${describeStatus(status)}`);
    } catch (error) {
      this.#library.unload();
      throw error;
    }
    try {
      const words = this.#readVersion();
      const [abi = 0] = words;
      const powerOffset = powerOffsets[abi];
      if (powerOffset === undefined)
        throw new Error(
          `Cannot use "${path}": expected AMD SMI 24, 25 or 26, found ${words.join('.') || 'no version'}`,
        );
      this.version = words.join('.');
      this.#calls = listCalls(powerOffset);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The supported columns of a card, by PCI address: as in `columns.ts`, each function independently. */
  bind(address: string): readonly CardFeature[] {
    const handle = this.#listHandles().find((one) => this.#readAddress(one) === address);
    return handle === undefined ? [] : this.#calls.flatMap((call) => this.#bindCall(handle, call));
  }

  close(): void {
    this.#library.find('amdsmi_shut_down', '')();
    this.#library.unload();
  }

  /** The first word is the year in versions 24 and 25, followed by others, and the major version since 26. */
  #readVersion(): readonly number[] {
    const scratch = this.#scratch;
    const read = this.#library.find('amdsmi_get_lib_version', 'uintptr_t version');
    if (read(scratch.address) !== success) return [];
    return [scratch.u32(), scratch.u32(4), scratch.u32(8)];
  }

  #listHandles(): readonly number[] {
    const sockets = this.#fill(
      this.#library.find('amdsmi_get_socket_handles', 'uintptr_t count, uintptr_t sockets'),
    );
    const list = this.#library.find(
      'amdsmi_get_processor_handles',
      'uintptr_t socket, uintptr_t count, uintptr_t processors',
    );
    return sockets.flatMap((socket) => this.#fill((count, handles) => list(socket, count, handles)));
  }

  #fill(call: (count: number, handles: number) => number): readonly number[] {
    const scratch = this.#scratch;
    scratch.view.setUint32(0, maxHandles, true);
    if (call(scratch.address, scratch.address + 8) !== success) return [];
    return Array.from({ length: Math.min(scratch.u32(), maxHandles) }, (_, i) => scratch.u64(8 + 8 * i));
  }

  /** amdsmi_bdf_t: 3 bits of function, 5 of device, 8 of bus, 48 of domain. */
  #readAddress(handle: number): string | undefined {
    const scratch = this.#scratch;
    const read = this.#library.find('amdsmi_get_gpu_device_bdf', 'uintptr_t processor, uintptr_t bdf');
    if (read(handle, scratch.address) !== success) return undefined;
    const bits = scratch.u32();
    const [domain, bus] = [scratch.view.getUint16(2, true) + scratch.u32(4) * 2 ** 16, (bits >> 8) & 0xff];
    return `${hex(domain, 4)}:${hex(bus, 2)}:${hex((bits >> 3) & 0x1f, 2)}.${bits & 7}`;
  }

  /**
   * A call that supports at least one column of the card; one that only failed is kept, and retried at each
   * reading.
   */
  #bindCall(handle: number, { name, symbol, parameters, columns, ...call }: Call): readonly CardFeature[] {
    const scratch = this.#scratch;
    const read = this.#library.find(symbol, `uintptr_t processor, ${parameters}`);
    const isAddress = parameters.split(', ').map((parameter) => parameter.startsWith('uintptr_t'));
    const values = call.arguments.map((value, i) => (isAddress[i] ? scratch.address + value : value));
    const status = read(handle, ...values);
    if (isUnsupported(status)) return [];
    const isThere = (column: number) => status !== success || !Number.isNaN(call.take(scratch, column));
    const wanted = [...columns.keys()].filter(isThere);
    if (wanted.length === 0) return [];
    const feature: CardFeature = {
      columns: columns.filter((_, i) => wanted.includes(i)),
      read(into, at) {
        const found = read(handle, ...values);
        if (found !== success)
          throw new Error(`Cannot read the ${name} by AMD SMI: ${describeStatus(found)}`);
        wanted.forEach((column, i) => void (into[at + i] = call.take(scratch, column)));
      },
      close: () => {},
    };
    return [feature];
  }
}
