import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { koffi } from '../koffi.js';
import { libc, nameErrno } from '../libc.js';
import { findSyscallNumber } from '../syscall-numbers.js';

// Numbers and layouts: include/uapi/linux/bpf.h.
const command = { nextKey: 4, openMapById: 14 } as const;
const hashType = 1;
const attributeBytes = 144;
const syscall = libc.func('long syscall(long number, int command, void *attr, unsigned int size)') as (
  number: number | undefined,
  command: number,
  attributes: Buffer,
  size: number,
) => number;

/** A BPF map that a process has open. */
export interface OpenMap {
  readonly id: number;
  /** Memory that it takes in the kernel. */
  readonly bytes: number;
  /** Entries of a hash now; undefined: all values of an array, and all bytes of a ring buffer, always exist. */
  readonly entries: number | undefined;
}

/** The BPF maps of a process, each once. Needs CAP_SYS_ADMIN. */
export function listOpenMaps(pid: number | 'self'): readonly OpenMap[] {
  const maps = new Map<number, OpenMap>();
  const folder = `/proc/${pid}/fdinfo`;
  for (const fd of readdirSync(folder)) {
    const map = parseMap(readIfOpen(`${folder}/${fd}`));
    if (map !== undefined) maps.set(map.id, map);
  }
  return [...maps.values()].toSorted((a, b) => a.id - b.id);
}

/** The descriptor of the list itself is closed by now. */
function readIfOpen(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function parseMap(info: string): OpenMap | undefined {
  const numberOf = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)$`, 'mu').exec(info)?.[1] ?? NaN);
  const [id, type, bytes] = ['map_id', 'map_type', 'memlock'].map(numberOf);
  if (Number.isNaN(id)) return undefined;
  return { id, bytes, entries: type === hashType ? countEntries(id, numberOf('key_size')) : undefined };
}

/** Iterates over the keys. If other threads remove entries meanwhile, the kernel may start again: some count twice. */
function countEntries(id: number, keyBytes: number): number {
  const attributes = Buffer.alloc(attributeBytes);
  attributes.writeUInt32LE(id, 0);
  const fd = syscall(findSyscallNumber('bpf'), command.openMapById, attributes, attributes.length);
  if (fd < 0) throw new Error(`Cannot open BPF map ${id}: ${nameErrno()}`);
  const key = Buffer.alloc(keyBytes);
  attributes.writeUInt32LE(fd, 0);
  // There is no key before the first one.
  attributes.writeBigUInt64LE(0n, 8);
  attributes.writeBigUInt64LE(koffi.address(key), 16);
  let entries = 0;
  while (syscall(findSyscallNumber('bpf'), command.nextKey, attributes, attributes.length) === 0) {
    attributes.writeBigUInt64LE(koffi.address(key), 8);
    entries += 1;
  }
  closeSync(fd);
  return entries;
}
