/**
 * The registers: r0 holds the result of a call, r1 to r5 its arguments, r6 to r9 are preserved, r10 is the end
 * of the stack.
 */
export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;

// Instruction set: Documentation/bpf/standardization/instruction-set.rst of Linux, RFC 9669.
const sizeCodes = { 4: 0x00, 8: 0x18 } as const;
const operators = {
  add: 0x00,
  divide: 0x30,
  and: 0x50,
  shiftLeft: 0x60,
  shiftRight: 0x70,
  modulo: 0x90,
} as const;
const comparisons = { equal: 0x10, above: 0x20, notEqual: 0x50 } as const;
const exchangeOperation = 0xe1;
const instructionBytes = 8;

interface Instruction {
  readonly code: number;
  readonly to?: number;
  readonly from?: number;
  /** A label is the target of a jump. */
  readonly offset?: number | string;
  readonly immediate?: number;
}

/**
 * Builds the bytes of a BPF program, one instruction per call. Memory is addressed as register plus offset;
 * sizes are in bytes. Jumps name a label, which may be defined later.
 */
export class Assembler {
  readonly #instructions: Instruction[] = [];
  readonly #labels = new Map<string, number>();
  #labelCount = 0;

  /** `to = from`. */
  move(to: Register, from: Register): this {
    return this.#add({ code: 0xbf, to, from });
  }

  /** `to = value`, a signed 32-bit number. */
  set(to: Register, value: number): this {
    return this.#add({ code: 0xb7, to, immediate: value });
  }

  /** `to = to OPERATOR value`, unsigned in 64 bits. */
  compute(to: Register, operator: keyof typeof operators, value: number): this {
    return this.#add({ code: 0x07 | operators[operator], to, immediate: value });
  }

  /** `to = to + from`. */
  add(to: Register, from: Register): this {
    return this.#add({ code: 0x0f, to, from });
  }

  /** `to = to - from`. */
  subtract(to: Register, from: Register): this {
    return this.#add({ code: 0x1f, to, from });
  }

  /** `to = *(from + offset)`. */
  load(to: Register, from: Register, offset: number, size: keyof typeof sizeCodes = 8): this {
    return this.#add({ code: 0x61 | sizeCodes[size], to, from, offset });
  }

  /** `*(to + offset) = from`. */
  store(to: Register, offset: number, from: Register, size: keyof typeof sizeCodes = 8): this {
    return this.#add({ code: 0x63 | sizeCodes[size], to, from, offset });
  }

  /** `*(to + offset) += from`, atomically. */
  addAtomically(to: Register, offset: number, from: Register): this {
    return this.#add({ code: 0xdb, to, from, offset });
  }

  /** Swaps `from` and `*(to + offset)`, 8 bytes, in order with all memory accesses before and after it. */
  exchange(to: Register, offset: number, from: Register): this {
    return this.#add({ code: 0xdb, to, from, offset, immediate: exchangeOperation });
  }

  /** Loads the map of a descriptor into `to`. */
  loadMap(to: Register, fd: number): this {
    return this.#add({ code: 0x18, to, from: 1, immediate: fd }).#add({ code: 0 });
  }

  /** Loads the address of a byte in the only value of an array map into `to`. */
  loadMapValue(to: Register, fd: number, offset: number): this {
    return this.#add({ code: 0x18, to, from: 2, immediate: fd }).#add({ code: 0, immediate: offset });
  }

  /** `r0 = helper(r1, ..., r5)`, by its number in include/uapi/linux/bpf.h. */
  call(helper: number): this {
    return this.#add({ code: 0x85, immediate: helper });
  }

  /** `r0 = function(r1, ..., r5)`, a function of the kernel that programs may call (kfunc): `TypeFacts.findId`. */
  callKernel(functionId: number): this {
    return this.#add({ code: 0x85, from: 2, immediate: functionId });
  }

  /** Jumps to a label. */
  jump(label: string): this {
    return this.#add({ code: 0x05, offset: label });
  }

  /** Jumps to a label if the comparison of `register` with a number holds. */
  jumpIf(register: Register, comparison: keyof typeof comparisons, value: number, label: string): this {
    return this.#add({ code: 0x05 | comparisons[comparison], to: register, offset: label, immediate: value });
  }

  /** Jumps to a label if both registers are equal, in 64 bits. */
  jumpIfSame(register: Register, other: Register, label: string): this {
    return this.#add({ code: 0x1d, to: register, from: other, offset: label });
  }

  /** Jumps to a label if the registers differ, in 64 bits. */
  jumpIfDifferent(register: Register, other: Register, label: string): this {
    return this.#add({ code: 0x5d, to: register, from: other, offset: label });
  }

  /** Jumps to a label if `register` is at most `other`, both unsigned. */
  jumpIfAtMost(register: Register, other: Register, label: string): this {
    return this.#add({ code: 0xbd, to: register, from: other, offset: label });
  }

  /** Defines a label at the next instruction. */
  label(name: string): this {
    this.#labels.set(name, this.#instructions.length);
    return this;
  }

  /** A label that no other call returns. */
  uniqueLabel(name: string): string {
    this.#labelCount += 1;
    return `${name} ${this.#labelCount}`;
  }

  /** Ends the program with 0. */
  return(): this {
    return this.set(0, 0).#add({ code: 0x95 });
  }

  /** The program in the kernel's format. */
  encode(): Buffer {
    const bytes = Buffer.alloc(this.#instructions.length * instructionBytes);
    for (const [index, instruction] of this.#instructions.entries()) {
      const at = index * instructionBytes;
      bytes[at] = instruction.code;
      bytes[at + 1] = ((instruction.from ?? 0) << 4) | (instruction.to ?? 0);
      bytes.writeInt16LE(this.#findOffset(instruction.offset ?? 0, index), at + 2);
      bytes.writeInt32LE(instruction.immediate ?? 0, at + 4);
    }
    return bytes;
  }

  #findOffset(offset: number | string, index: number): number {
    if (typeof offset === 'number') return offset;
    const target = this.#labels.get(offset);
    if (target === undefined)
      throw new Error(`Cannot assemble a BPF program: expected a label "${offset}", found none`);
    return target - index - 1;
  }

  #add(instruction: Instruction): this {
    this.#instructions.push(instruction);
    return this;
  }
}
