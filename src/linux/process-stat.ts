import { parseNumbers, readPath } from './procfs.js';

const openParenthesis = 0x28;
const closeParenthesis = 0x29;
const stateZombie = 0x5a;
const stateDead = 0x58;
const kernelThreadFlag = 0x0020_0000;

/** By ASCII code: reading one creates no string. */
const letters = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

// The numbers from the parent's pid, field 4 of proc_pid_stat(5), to the resident set size, field 24.
const fields = new Float64Array(21);

/**
 * `/proc/<pid>/stat`, of a process or of a thread; the only parser of its fields. One object serves a whole
 * scan: every file is parsed into it, and values must be copied before the next.
 */
export class ProcessStat {
  /** Whether it has ended but was not waited for yet. */
  isZombie = false;
  parentPid = 0;
  processGroup = 0;
  /** The device number of its controlling terminal; 0: none. */
  terminal = 0;
  /** The foreground process group of that terminal; -1: none. */
  foregroundGroup = -1;
  /** PF_* of include/linux/sched.h. */
  flags = 0;
  isKernelThread = false;
  /** Its state, a letter as an ASCII code. */
  state = 0;
  minorFaults = 0;
  majorFaults = 0;
  userTicks = 0;
  systemTicks = 0;
  /** Of children that it has waited for, including theirs. */
  childUserTicks = 0;
  childSystemTicks = 0;
  threads = 0;
  /** CLOCK_BOOTTIME of its start, in ticks. */
  startTicks = 0;
  virtualBytes = 0;
  residentPages = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #buffer: Uint8Array | undefined;
  #nameFrom = 0;
  #nameTo = 0;

  get stateLetter(): string {
    return letters[this.state];
  }

  /**
   * @param bytes the start of the file; must not change while the name is used
   * @returns false if this is not such a file
   */
  parse(bytes: Uint8Array, length: number): boolean {
    const open = bytes.indexOf(openParenthesis);
    // The name may itself contain parentheses, spaces and newlines; later fields do not.
    const close = bytes.lastIndexOf(closeParenthesis, length - 1);
    if (open < 0 || close < open) return false;
    const stateAt = close + 2;
    if (parseNumbers(bytes.subarray(0, length), stateAt + 1, fields) < fields.length) return false;
    this.#bytes = bytes;
    this.#nameFrom = open + 1;
    this.#nameTo = close;
    this.state = bytes[stateAt];
    this.isZombie = this.state === stateZombie || this.state === stateDead;
    this.#take(fields);
    return true;
  }

  /**
   * Reads and parses the file once.
   * @param folder for example `/proc/<pid>`
   * @returns false if the process is gone, or its file is not readable
   */
  read(folder: string): boolean {
    this.#buffer ??= Buffer.allocUnsafeSlow(4096);
    try {
      return this.parse(this.#buffer, readPath(`${folder}/stat`, this.#buffer));
    } catch {
      return false;
    }
  }

  /** The kernel's name of the process (comm): bytes, since it need not be valid UTF-8. */
  copyName(): Uint8Array {
    // A slice of a Buffer would not be a copy.
    return Uint8Array.from(this.#bytes.subarray(this.#nameFrom, this.#nameTo));
  }

  isNamed(name: Uint8Array): boolean {
    if (name.length !== this.#nameTo - this.#nameFrom) return false;
    for (let index = 0; index < name.length; index++) {
      if (name[index] !== this.#bytes[this.#nameFrom + index]) return false;
    }
    return true;
  }

  #take(numbers: Float64Array): void {
    this.parentPid = numbers[0];
    this.processGroup = numbers[1];
    this.terminal = numbers[3];
    this.foregroundGroup = numbers[4];
    this.flags = numbers[5];
    this.isKernelThread = (numbers[5] & kernelThreadFlag) !== 0;
    this.minorFaults = numbers[6];
    this.majorFaults = numbers[8];
    this.userTicks = numbers[10];
    this.systemTicks = numbers[11];
    this.childUserTicks = numbers[12];
    this.childSystemTicks = numbers[13];
    this.threads = numbers[16];
    this.startTicks = numbers[18];
    this.virtualBytes = numbers[19];
    this.residentPages = numbers[20];
  }
}
