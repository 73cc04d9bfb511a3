import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

// Layout: Documentation/bpf/btf.rst of Linux.
const magic = 0xeb9f;
const kind = { struct: 4, union: 5, enumeration: 6, typedef: 8, function: 12 } as const;
/** Kinds that are skipped to find the actual type: typedef, volatile, const, restrict, type tag. */
const aliases = new Set([8, 9, 10, 11, 18]);
const headerWords = 3;
/** One slice is 2 ms of work. */
const typesPerSlice = 50_000;
const pagesPerSlice = 200;
/** Sysfs returns at most a page per call. */
const pageBytes = 4096;
/** Kinds have the numbers 1 to 19. */
const kinds = 20;
/** Words after the header of each kind of type: a fixed number, and a number per member. */
const fixedWords = Uint8Array.of(0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0);
const memberWords = Uint8Array.of(0, 0, 0, 0, 3, 3, 2, 0, 0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 3);

/** The kernel's type information, if it was built with CONFIG_DEBUG_INFO_BTF. */
export const kernelTypesPath = '/sys/kernel/btf/vmlinux';

/** The kinds of types that have an id here. */
export type NamedKind = 'struct' | 'typedef' | 'function';

/** What programs need to know about the running kernel's types. */
export interface TypeFacts {
  /**
   * Offset of a field in a struct, in bytes; `path` may go through nested structs: `se.sum_exec_runtime`.
   * @throws Error when the kernel has no such field
   */
  findOffset(struct: string, path: string): number;
  /** The same, where the kernel may have no such field: then undefined. */
  findOptionalOffset(struct: string, path: string): number | undefined;
  /** Bytes of a struct; 0 if there is none. */
  findSize(struct: string): number;
  /** The id of a type, or of a function that a program is attached to or calls; 0 if there is none. */
  findId(name: string, of: NamedKind): number;
  /** The value of an enumerator: `cgroup_subsys_id`, `cpuacct_cgrp_id`. */
  findEnumerator(enumeration: string, name: string): number | undefined;
}

/**
 * The types of the running kernel, from its type information (BTF): offsets of fields and ids of functions.
 * Names are searched as bytes and compared by offset, so that 130,000 types cost milliseconds.
 */
export class KernelTypes implements TypeFacts {
  readonly #words: Uint32Array;
  readonly #strings: Buffer;
  /** Word at which each type starts; type 0 is void. */
  readonly #begins: Uint32Array;

  /**
   * Reads the kernel's type information, in slices.
   * @throws Error when there is none, or its layout is unknown
   */
  static async load(path = kernelTypesPath): Promise<KernelTypes> {
    const file = await readInSlices(path);
    const fail = (found: string): Error =>
      new Error(`Cannot parse ${path}: expected kernel types (BTF), found ${found}`);
    if (file.length < 24 || file.readUInt16LE(0) !== magic) throw fail('another format');
    const [header, types, typeBytes, strings, stringBytes] = [4, 8, 12, 16, 20].map((at) =>
      file.readUInt32LE(at),
    );
    if (header + Math.max(types + typeBytes, strings + stringBytes) > file.length)
      throw fail('a truncated file');
    await setImmediate();
    // A copy, since words must be aligned.
    const words = new Uint32Array(typeBytes >>> 2);
    Buffer.from(words.buffer).set(file.subarray(header + types, header + types + (words.length << 2)));
    const begins = await indexTypes(words);
    if (typeof begins === 'string') throw fail(begins);
    return new KernelTypes(words, file.subarray(header + strings, header + strings + stringBytes), begins);
  }

  private constructor(words: Uint32Array, strings: Buffer, begins: Uint32Array) {
    this.#words = words;
    this.#strings = strings;
    this.#begins = begins;
  }

  findOffset(struct: string, path: string): number {
    const offset = this.findOptionalOffset(struct, path);
    if (offset !== undefined) return offset;
    throw new Error(`Cannot find ${struct}.${path}: expected it in this kernel's types, found none`);
  }

  findOptionalOffset(struct: string, path: string): number | undefined {
    let type = this.#find(struct, kind.struct);
    let offset = 0;
    for (const name of path.split('.')) {
      const member = type === undefined ? undefined : this.#findMember(this.#skipAliases(type), name);
      if (member === undefined) return undefined;
      offset += member.offset;
      type = member.type;
    }
    return offset;
  }

  findSize(struct: string): number {
    const type = this.#find(struct, kind.struct);
    return type === undefined ? 0 : this.#words[this.#begins[type] + 2];
  }

  findId(name: string, of: NamedKind): number {
    return this.#find(name, kind[of]) ?? 0;
  }

  findEnumerator(enumeration: string, name: string): number | undefined {
    const type = this.#find(enumeration, kind.enumeration);
    const wanted = this.#findName(name);
    if (type === undefined || wanted === undefined) return undefined;
    const begin = this.#begins[type];
    for (let member = 0; member < this.#countMembers(begin); member++) {
      const at = begin + headerWords + member * 2;
      if (this.#words[at] === wanted) return this.#words[at + 1] | 0;
    }
    return undefined;
  }

  #find(name: string, wantedKind: number): number | undefined {
    const wanted = this.#findName(name);
    if (wanted === undefined) return undefined;
    for (let type = 1; type < this.#begins.length; type++) {
      const begin = this.#begins[type];
      if (this.#words[begin] === wanted && kindOf(this.#words[begin + 1]) === wantedKind) return type;
    }
    return undefined;
  }

  /** The offset of a name in the string section, where each name is stored once. */
  #findName(name: string): number | undefined {
    const at = this.#strings.indexOf(`\0${name}\0`, 0, 'latin1');
    return at === -1 ? undefined : at + 1;
  }

  #findMember(type: number, name: string): { readonly offset: number; readonly type: number } | undefined {
    const wanted = this.#findName(name);
    const begin = this.#begins[type];
    const isBitfield = this.#words[begin + 1] >>> 31 === 1;
    for (let member = 0; member < this.#countMembers(begin); member++) {
      const at = begin + headerWords + member * 3;
      const bits = isBitfield ? this.#words[at + 2] & 0xffffff : this.#words[at + 2];
      const memberType = this.#words[at + 1];
      if (this.#words[at] === wanted) return { offset: bits / 8, type: memberType };
      const inner = this.#words[at] === 0 ? this.#findInAnonymous(memberType, name) : undefined;
      if (inner !== undefined) return { offset: bits / 8 + inner.offset, type: inner.type };
    }
    return undefined;
  }

  #findInAnonymous(
    type: number,
    name: string,
  ): { readonly offset: number; readonly type: number } | undefined {
    const inner = this.#skipAliases(type);
    const innerKind = kindOf(this.#words[this.#begins[inner] + 1]);
    return innerKind === kind.struct || innerKind === kind.union ? this.#findMember(inner, name) : undefined;
  }

  #skipAliases(type: number): number {
    let resolved = type;
    while (aliases.has(kindOf(this.#words[this.#begins[resolved] + 1]))) {
      resolved = this.#words[this.#begins[resolved] + 2];
    }
    return resolved;
  }

  #countMembers(begin: number): number {
    return this.#words[begin + 1] & 0xffff;
  }
}

function kindOf(info: number): number {
  return (info >>> 24) & 0x1f;
}

/** Reads a file without blocking this thread for long. The thread pool would take ten times as long, page by page. */
async function readInSlices(path: string): Promise<Buffer> {
  const fd = openSync(path, 'r');
  try {
    const file = Buffer.allocUnsafeSlow(fstatSync(fd).size);
    let length = 0;
    for (let page = 1; length < file.length; page++) {
      const read = readSync(fd, file, length, Math.min(pageBytes, file.length - length), length);
      if (read === 0) break;
      length += read;
      if (page % pagesPerSlice === 0) await setImmediate();
    }
    return file.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

/** Finds where each type starts, or describes what is wrong. */
async function indexTypes(words: Uint32Array): Promise<Uint32Array | string> {
  const begins = new Uint32Array(Math.floor(words.length / headerWords) + 1);
  let count = 1;
  let at = 0;
  while (at + headerWords <= words.length) {
    const end = indexSlice(words, at, begins.subarray(count, count + typesPerSlice));
    if (end.unknownKind !== undefined) return `a type of the unknown kind ${end.unknownKind}`;
    count += end.count;
    at = end.at;
    await setImmediate();
  }
  return at === words.length ? begins.subarray(0, count) : 'a type that is cut off';
}

interface IndexedSlice {
  readonly count: number;
  /** Start of the next type. */
  readonly at: number;
  readonly unknownKind?: number;
}

/** Records the starts of types, from `from` on, until the array is full. */
function indexSlice(words: Uint32Array, from: number, begins: Uint32Array): IndexedSlice {
  let at = from;
  let count = 0;
  while (count < begins.length && at + headerWords <= words.length) {
    const info = words[at + 1];
    const kindOfType = kindOf(info);
    if (kindOfType === 0 || kindOfType >= kinds) return { count, at, unknownKind: kindOfType };
    begins[count++] = at;
    at += headerWords + fixedWords[kindOfType] + memberWords[kindOfType] * (info & 0xffff);
  }
  return { count, at };
}
