import { closeSync, existsSync, openSync } from 'node:fs';
import { addressOf, ioctl, nameErrno } from '../../src/linux/libc.js';

// The property mailbox of the firmware, as used by vcgencmd of github.com/raspberrypi/utils: a message of
// 32-bit words with one tag that requests the result of a text command. The kernel copies it to the firmware
// and back.

/** The first is for such commands only; the second, of older kernels, is for every request to the firmware. */
export const devicePaths: readonly string[] = ['/dev/vcio_gencmd', '/dev/vcio'];

/** _IOWR(100, 0, char *): the size of a pointer is a part of it. */
const pointerBytes = process.arch === 'arm' ? 4 : 8;
const propertyRequest = 0xc000_6400 + pointerBytes * 0x1_0000;

/** GET_GENCMD_RESULT */
const tag = 0x0003_0080;
const textBytes = 4096;
/** Size, code, tag, length of the value, code of the tag, result of the command. */
const headerBytes = 24;
/** Including the end tag. */
export const messageBytes = headerBytes + textBytes + 4;
const successCode = 0x8000_0000;

/** The existing device; undefined: this machine has none. */
export function findDevice(configured: string | null): string | undefined {
  return configured ?? devicePaths.find((path) => existsSync(path));
}

/** Overwrites a message of `messageBytes` with the request for a command. */
export function writeCommand(message: DataView, command: string): void {
  new Uint8Array(message.buffer).fill(0);
  message.setUint32(0, messageBytes, true);
  message.setUint32(8, tag, true);
  message.setUint32(12, textBytes, true);
  new Uint8Array(message.buffer, headerBytes, textBytes - 1).set(Buffer.from(command, 'latin1'));
}

/**
 * The text of an answer.
 * @throws Error if the firmware did not accept the message, or the command failed
 */
export function readResult(message: DataView, command: string): string {
  const code = message.getUint32(4, true);
  const result = message.getUint32(20, true);
  if (code !== successCode || result !== 0) {
    throw new Error(
      `Cannot run "${command}" on the firmware: expected success, found code 0x${code.toString(16)}, result ${result}`,
    );
  }
  const text = Buffer.from(message.buffer, headerBytes, textBytes).toString('latin1');
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

/** The open device. Each command blocks until the firmware has answered it. */
export class Mailbox {
  readonly #path: string;
  readonly #fd: number;
  readonly #memory = new ArrayBuffer(messageBytes);
  readonly #message = new DataView(this.#memory);
  readonly #address = addressOf(this.#memory);

  /** @throws Error with the system's error code if it cannot be opened */
  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, 'r');
  }

  /** @throws Error */
  run(command: string): string {
    writeCommand(this.#message, command);
    if (ioctl(this.#fd, propertyRequest, this.#address) < 0) {
      throw new Error(`Cannot send a command to ${this.#path}: ${nameErrno()}`);
    }
    return readResult(this.#message, command);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
