import { parseNumbers } from '../../src/linux/procfs.js';

const openParenthesis = 0x28;
const closeParenthesis = 0x29;
const stateZombie = 0x5a;
const stateDead = 0x58;
const kernelThreadFlag = 0x0020_0000;

// The numbers from the parent's pid, which is field 4 of proc_pid_stat(5), to the resident set size, field 24.
const fields = new Float64Array(21);

/**
 * `/proc/<pid>/stat`. One object serves a whole scan: every reading is parsed into it, and what is to be kept is
 * taken from it before the next.
 */
export class ProcessStat {
  /** Whether it has ended and only waits for its parent to notice. */
  isZombie = false;
  parentPid = 0;
  isKernelThread = false;
  minorFaults = 0;
  majorFaults = 0;
  userTicks = 0;
  systemTicks = 0;
  threads = 0;
  /** CLOCK_BOOTTIME of the birth, in ticks. */
  startTicks = 0;
  virtualBytes = 0;
  residentPages = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #nameFrom = 0;
  #nameTo = 0;

  /**
   * @param bytes the file, at its beginning; not to be changed for as long as the name is asked for
   * @returns false when this is no such file
   */
  parse(bytes: Uint8Array, length: number): boolean {
    const open = bytes.indexOf(openParenthesis);
    // The name may hold parentheses, spaces and newlines itself; no field after it does.
    const close = bytes.lastIndexOf(closeParenthesis, length - 1);
    if (open < 0 || close < open) return false;
    const stateAt = close + 2;
    if (parseNumbers(bytes.subarray(0, length), stateAt + 1, fields) < fields.length) return false;
    this.#bytes = bytes;
    this.#nameFrom = open + 1;
    this.#nameTo = close;
    this.isZombie = bytes[stateAt] === stateZombie || bytes[stateAt] === stateDead;
    this.#take(fields);
    return true;
  }

  /** The kernel's name of the process (comm): bytes, since nothing says that they are text. */
  copyName(): Uint8Array {
    return this.#bytes.slice(this.#nameFrom, this.#nameTo);
  }

  isNamed(name: Uint8Array): boolean {
    if (name.length !== this.#nameTo - this.#nameFrom) return false;
    for (let index = 0; index < name.length; index++) {
      if (name[index] !== this.#bytes[this.#nameFrom + index]) return false;
    }
    return true;
  }

  #take(numbers: Float64Array): void {
    const at = (index: number): number => numbers[index] ?? 0;
    this.parentPid = at(0);
    this.isKernelThread = (at(5) & kernelThreadFlag) !== 0;
    this.minorFaults = at(6);
    this.majorFaults = at(8);
    this.userTicks = at(10);
    this.systemTicks = at(11);
    this.threads = at(16);
    this.startTicks = at(18);
    this.virtualBytes = at(19);
    this.residentPages = at(20);
  }
}
