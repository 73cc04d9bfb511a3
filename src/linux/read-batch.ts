import { addressOf, libc } from './libc.js';
import { findSyscallNumber } from './syscall-numbers.js';

/** A longer pseudo file is not read completely, and its length is `slotBytes`. */
export const slotBytes = 4096;

const setUp: (number: number, events: number, context: number) => number = libc.func(
  'long syscall(long number, unsigned int events, uintptr_t context)',
);
const tearDown: (number: number, context: number) => number = libc.func(
  'long syscall(long number, uintptr_t context)',
);
const submit: (number: number, context: number, count: number, requests: number) => number = libc.func(
  'long syscall(long number, uintptr_t context, long count, uintptr_t requests)',
);
const collect: (...args: [number, number, number, number, number, number]) => number = libc.func(
  'long syscall(long number, uintptr_t context, long least, long most, uintptr_t events, uintptr_t timeout)',
);

// struct iocb and struct io_event of include/uapi/linux/aio_abi.h; IOCB_CMD_PREAD is 0.
const requestBytes = 64;
const dataAt = 0;
const fdWord = 5;
const addressAt = 24;
const sizeAt = 32;
const eventBytes = 32;
const resultAt = 16;

/**
 * Reads many pseudo files from their start with one call. The kernel reads a file of sysfs or cgroupfs while it
 * takes the request, so that nothing is asynchronous, and two thirds of the overhead of a call from JavaScript
 * are saved.
 */
export class ReadBatch {
  readonly capacity: number;
  /** The contents, by index. */
  readonly texts: readonly Buffer[];
  /** The number of bytes read, by index; negative: reading failed, and reading the file alone shows why. */
  readonly lengths: Int32Array;
  readonly #submitNumber: number;
  readonly #collectNumber: number;
  readonly #destroyNumber: number;
  #context: number;
  readonly #fds: Int32Array;
  readonly #pointers: BigUint64Array<ArrayBuffer>;
  readonly #events: DataView<ArrayBuffer>;
  /** The kernel writes into it. */
  readonly #slots: ArrayBuffer;
  #size = 0;

  /** Undefined if the kernel does not have the call, or does not permit it. */
  static open(capacity: number): ReadBatch | undefined {
    const [setup, destroy] = [findSyscallNumber('io_setup'), findSyscallNumber('io_destroy')];
    const [submitting, collecting] = [findSyscallNumber('io_submit'), findSyscallNumber('io_getevents')];
    if (setup === undefined || destroy === undefined) return undefined;
    if (submitting === undefined || collecting === undefined) return undefined;
    const context = new BigUint64Array(1);
    if (setUp(setup, capacity, addressOf(context.buffer)) !== 0) return undefined;
    return new ReadBatch(capacity, [Number(context[0]), submitting, collecting, destroy]);
  }

  private constructor(
    capacity: number,
    [context, submitNumber, collectNumber, destroyNumber]: readonly [number, number, number, number],
  ) {
    this.capacity = capacity;
    this.#context = context;
    this.#submitNumber = submitNumber;
    this.#collectNumber = collectNumber;
    this.#destroyNumber = destroyNumber;
    this.#slots = new ArrayBuffer(capacity * slotBytes);
    this.texts = Array.from({ length: capacity }, (_, i) =>
      Buffer.from(this.#slots, i * slotBytes, slotBytes),
    );
    this.lengths = new Int32Array(capacity);
    const requests = new DataView(new ArrayBuffer(capacity * requestBytes));
    this.#fds = new Int32Array(requests.buffer);
    this.#pointers = new BigUint64Array(capacity);
    this.#events = new DataView(new ArrayBuffer(capacity * eventBytes));
    for (let i = 0; i < capacity; i++) this.#prepare(requests, i);
  }

  /** Adds the file of an open descriptor. @returns its index */
  add(fd: number): number {
    this.#fds[(this.#size * requestBytes) / 4 + fdWord] = fd;
    return this.#size++;
  }

  /** Reads the added files into `texts` and `lengths`; then the batch is empty again. */
  run(): void {
    const size = this.#size;
    this.#size = 0;
    this.lengths.fill(-1, 0, size);
    if (size === 0) return;
    // It stops at an invalid request: the files after it have not been read.
    const count = submit(this.#submitNumber, this.#context, size, addressOf(this.#pointers.buffer));
    if (count <= 0) return;
    const { buffer } = this.#events;
    const done = collect(this.#collectNumber, this.#context, count, count, addressOf(buffer), 0);
    for (let at = 0; at < done * eventBytes; at += eventBytes) {
      this.lengths[this.#events.getUint32(at, true)] = this.#events.getInt32(at + resultAt, true);
    }
  }

  /** May be called twice. */
  close(): void {
    if (this.#context !== 0) tearDown(this.#destroyNumber, this.#context);
    this.#context = 0;
  }

  #prepare(requests: DataView<ArrayBuffer>, index: number): void {
    const at = index * requestBytes;
    requests.setBigUint64(at + dataAt, BigInt(index), true);
    requests.setBigUint64(at + addressAt, BigInt(addressOf(this.#slots) + index * slotBytes), true);
    requests.setBigUint64(at + sizeAt, BigInt(slotBytes), true);
    this.#pointers[index] = BigInt(addressOf(requests.buffer) + at);
  }
}
