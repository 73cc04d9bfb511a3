import { koffi } from '../koffi.js';
import { addressOf } from '../libc.js';
import type { EventModifiers } from './modifiers.js';

/** An event as libpfm4 encodes it for the kernel. */
export interface PfmEvent {
  readonly type: number;
  readonly config: bigint;
  readonly config1: bigint;
  readonly config2: bigint;
  readonly modifiers: EventModifiers;
}

/** Finds the events of every CPU by their vendors' names. */
export interface Libpfm {
  /**
   * @param name with unit masks and modifiers: `skl::INST_RETIRED:ANY_P:u`
   * @returns the event, or an error message
   */
  encode(name: string): PfmEvent | string;
}

const fileNames = ['libpfm.so.4', 'libpfm.so'];
// Kernel, user and hypervisor, for names without modifiers: PFM_PLM0, PFM_PLM3 and PFM_PLMH of pfmlib.h.
const everyLevel = 0x01 | 0x08 | 0x10;
const osPerfEventExtended = 2;
const attrBytes = 136;
// pfm_perf_encode_arg_t with 8-byte pointers: attr, fstr, size, then idx, cpu, flags and 4 bytes of padding.
const argumentBytes = 40;

let loaded: Libpfm | string | undefined;

/** Loads libpfm4, once, if it is installed. @returns the library, or an error message */
export function findLibpfm(): Libpfm | string {
  loaded ??= load();
  return loaded;
}

function load(): Libpfm | string {
  if (koffi.sizeof('void *') !== 8) return 'libpfm4 is used on 64-bit machines only';
  for (const fileName of fileNames) {
    try {
      return initialise(koffi.load(fileName));
    } catch {
      // The next name may exist.
    }
  }
  return 'libpfm4 is not installed (Debian: apt install libpfm4)';
}

function initialise(library: ReturnType<typeof koffi.load>): Libpfm | string {
  const start = library.func('int pfm_initialize()') as () => number;
  const describe = library.func('const char *pfm_strerror(int code)') as (code: number) => string;
  const encode = library.func(
    'int pfm_get_os_event_encoding(const char *name, int levels, int os, void *argument)',
  ) as (...args: [name: string, levels: number, os: number, argument: Uint8Array]) => number;
  const code = start();
  if (code !== 0) return `libpfm4 cannot be used: ${describe(code)}`;
  return {
    encode(name) {
      const attr = new ArrayBuffer(attrBytes);
      const failure = encode(name, everyLevel, osPerfEventExtended, createArgument(attr));
      return failure === 0 ? decodeAttr(new DataView(attr)) : `libpfm4 says: ${describe(failure)}`;
    },
  };
}

function createArgument(attr: ArrayBuffer): Uint8Array {
  const argument = Buffer.alloc(argumentBytes);
  argument.writeBigUInt64LE(BigInt(addressOf(attr)), 0);
  argument.writeBigUInt64LE(BigInt(argumentBytes), 16);
  return argument;
}

function decodeAttr(attr: DataView): PfmEvent {
  const flags = attr.getBigUint64(40, true);
  const has = (bit: number): boolean => (flags & (1n << BigInt(bit))) !== 0n;
  return {
    type: attr.getUint32(0, true),
    config: attr.getBigUint64(8, true),
    config1: attr.getBigUint64(56, true),
    config2: attr.getBigUint64(64, true),
    modifiers: {
      ...(has(2) && { isPinned: true }),
      ...(has(3) && { isExclusive: true }),
      ...(has(4) && { excludeUser: true }),
      ...(has(5) && { excludeKernel: true }),
      // Without this flag libpfm4 means every level, and a machine without a hypervisor refuses to count in
      // one.
      ...(has(4) !== has(5) && { excludeHypervisor: true }),
      ...(has(19) && { excludeHost: true }),
      ...(has(20) && { excludeGuest: true }),
      ...(((flags >> 15n) & 3n) > 0n && { preciseIp: Number((flags >> 15n) & 3n) }),
    },
  };
}
