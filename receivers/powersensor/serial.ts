import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { constants as system } from 'node:os';
import { describeCode, UnavailableError } from '../../src/errors.js';
import { koffi } from '../../src/linux/koffi.js';
import { libc, nameErrno } from '../../src/linux/libc.js';

const readBytes: (fd: number, buffer: Uint8Array, size: number) => number = libc.func(
  'long read(int fd, void *buffer, size_t count)',
);
const tcgetattr: (fd: number, termios: Uint8Array) => number = libc.func(
  'int tcgetattr(int fd, void *termios)',
);
const cfmakeraw: (termios: Uint8Array) => void = libc.func('void cfmakeraw(void *termios)');
const tcsetattr: (fd: number, action: number, termios: Uint8Array) => number = libc.func(
  'int tcsetattr(int fd, int action, const void *termios)',
);

/** Larger than struct termios of any C library. */
const termiosBytes = 256;
const pauseMs = 2;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread. */
export function blockThread(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms);
}

/** A serial device in non-blocking raw mode. */
export class Serial {
  readonly #path: string;
  readonly #fd: number;

  /** @throws UnavailableError with the path of the device */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    } catch (error) {
      throw new UnavailableError(`Cannot open ${path}: ${describeCode(error)}`, { cause: error });
    }
    const termios = new Uint8Array(termiosBytes);
    if (tcgetattr(this.#fd, termios) === 0) {
      cfmakeraw(termios);
      if (tcsetattr(this.#fd, 0, termios) === 0) return;
    }
    const reason = nameErrno();
    this.close();
    throw new UnavailableError(`Cannot open ${path}: expected a serial device, found ${reason}`);
  }

  write(text: string): void {
    writeSync(this.#fd, text);
  }

  /**
   * Reads what has arrived.
   * @returns the number of bytes; 0: none has arrived
   * @throws Error if the device was removed
   */
  read(into: Uint8Array): number {
    const count = readBytes(this.#fd, into, into.length);
    if (count > 0) return count;
    const code = koffi.errno();
    if (count < 0 && code === system.errno.EAGAIN) return 0;
    const reason = count === 0 ? 'its end' : nameErrno(code);
    throw new Error(`Cannot read ${this.#path}: expected bytes, found ${reason}`);
  }

  /**
   * Discards data until none arrives for a time.
   * @throws UnavailableError if that does not happen within the timeout
   */
  drain(quietMs: number, timeoutMs: number): void {
    const bytes = new Uint8Array(4096);
    const endMs = performance.now() + timeoutMs;
    for (let quiet = 0; quiet < quietMs; quiet += pauseMs) {
      if (this.read(bytes) > 0) quiet = 0;
      if (quiet === 0 && performance.now() > endMs) {
        throw new UnavailableError(
          `Cannot read ${this.#path}: expected no byte for ${quietMs} ms, found more for ${timeoutMs} ms; is it a PowerSensor3?`,
        );
      }
      blockThread(pauseMs);
    }
  }

  /** @throws UnavailableError if fewer bytes arrive within the timeout */
  readExactly(count: number, timeoutMs: number): Buffer {
    const bytes = Buffer.alloc(count);
    let found = 0;
    for (let waited = 0; found < count;) {
      const more = this.read(bytes.subarray(found));
      found += more;
      if (more > 0) continue;
      if (waited >= timeoutMs) {
        throw new UnavailableError(
          `Cannot read ${this.#path}: expected ${count} bytes within ${timeoutMs} ms, found ${found}; is it a PowerSensor3?`,
        );
      }
      blockThread(pauseMs);
      waited += pauseMs;
    }
    return bytes;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
