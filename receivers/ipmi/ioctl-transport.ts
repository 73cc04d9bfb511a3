import { closeSync, existsSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { koffi } from '../../src/linux/koffi.js';
import { addressOf, ioctl, libc, nameErrno } from '../../src/linux/libc.js';
import { systemController, type Controller, type IpmiRequest, type IpmiTransport } from './bmc.js';

// The character device of ipmi_devintf: include/uapi/linux/ipmi.h. A test compares these sizes and numbers with
// the header.

/** For 64-bit machines whose ioctl numbers are those of asm-generic. */
export const abi = {
  /** _IOR('i', 13, struct ipmi_req) */
  sendCommand: 0x8028690d,
  /** _IOWR('i', 11, struct ipmi_recv) */
  receiveTruncated: 0xc030690b,
  request: { size: 40, address: 0, addressLength: 8, messageId: 16, message: 24 },
  received: { size: 48, type: 0, address: 8, addressLength: 16, messageId: 24, message: 32 },
  message: { netFn: 0, command: 1, dataLength: 2, data: 8 },
  address: { size: 8, type: 0, channel: 4, lunOrSlave: 6, lunOfSlave: 7 },
} as const;

const { EAGAIN, EINTR, EMSGSIZE } = constants.errno;

const systemInterface = 0x0c;
const ipmb = 0x01;
const bmcChannel = 0x0f;
const responseType = 1;
const pollIn = 1;

// Offset of each structure in the memory that the kernel reads and writes.
const requestAt = 0;
const receivedAt = 64;
const addressAt = 128;
const pollAt = 192;
const sentAt = 256;
const answerAt = 512;
/** IPMI_MAX_MSG_LENGTH */
const maxMessageBytes = 272;
/** IPMI_MAX_ADDR_SIZE and the two preceding numbers. */
const maxAddressBytes = 40;

const poll = libc.func('int poll(uintptr_t fds, unsigned long count, int timeout_ms)') as (
  fds: number,
  count: number,
  timeoutMs: number,
) => number;

/**
 * Longer than the driver needs to report a timeout for a BMC that does not respond: it tries four times, for 5
 * s each.
 */
const answerTimeoutMs = 25_000;

/** The possible paths of the device, by its number. */
export function listDevicePaths(device: number): readonly string[] {
  return [`/dev/ipmi${device}`, `/dev/ipmi/${device}`, `/dev/ipmidev/${device}`];
}

/** The first of these paths that exists. */
export function findDevicePath(device: number): string | undefined {
  return listDevicePaths(device).find((path) => existsSync(path));
}

/**
 * Opens the device.
 * @throws Error with the errno if it cannot be opened
 */
export function openIoctlTransport(path: string): IpmiTransport {
  return new IoctlTransport(path, openSync(path, 'r+'));
}

class IoctlTransport implements IpmiTransport {
  readonly #path: string;
  #fd: number;
  readonly #memory = new ArrayBuffer(1024);
  readonly #view = new DataView(this.#memory);
  readonly #base = addressOf(this.#memory);
  #messageId = 0;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  send(to: Controller, request: IpmiRequest): Uint8Array {
    this.#messageId += 1;
    const addressLength = this.#writeAddress(to);
    this.#writeRequest(request, addressLength);
    if (ioctl(this.#fd, abi.sendCommand, this.#base + requestAt) < 0) throw this.#fail('send a command to');
    return this.#receive();
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #writeAddress({ address, channel, lun }: Controller): number {
    const isBmc = address === systemController.address;
    const { type, channel: channelAt, lunOrSlave, lunOfSlave, size } = abi.address;
    this.#view.setInt32(addressAt + type, isBmc ? systemInterface : ipmb, true);
    this.#view.setInt16(addressAt + channelAt, isBmc ? bmcChannel : channel, true);
    this.#view.setUint8(addressAt + lunOrSlave, isBmc ? lun : address);
    this.#view.setUint8(addressAt + lunOfSlave, isBmc ? 0 : lun);
    return size;
  }

  #writeRequest({ netFn, command, bytes }: IpmiRequest, addressLength: number): void {
    new Uint8Array(this.#memory, sentAt, bytes.length).set(bytes);
    const { address, addressLength: lengthAt, messageId, message } = abi.request;
    this.#view.setBigUint64(requestAt + address, BigInt(this.#base + addressAt), true);
    this.#view.setUint32(requestAt + lengthAt, addressLength, true);
    this.#view.setBigInt64(requestAt + messageId, BigInt(this.#messageId), true);
    this.#view.setUint8(requestAt + message + abi.message.netFn, netFn);
    this.#view.setUint8(requestAt + message + abi.message.command, command);
    this.#view.setUint16(requestAt + message + abi.message.dataLength, bytes.length, true);
    this.#view.setBigUint64(requestAt + message + abi.message.data, BigInt(this.#base + sentAt), true);
  }

  #receive(): Uint8Array {
    const deadlineMs = performance.now() + answerTimeoutMs;
    for (;;) {
      this.#waitUntil(deadlineMs);
      this.#writeReceived();
      const status = ioctl(this.#fd, abi.receiveTruncated, this.#base + receivedAt);
      const errno = status < 0 ? koffi.errno() : 0;
      // EMSGSIZE: the response was longer than the buffer, and truncated. EAGAIN: another reader has received
      // it.
      if (errno === EAGAIN || errno === EINTR) continue;
      if (errno !== 0 && errno !== EMSGSIZE) throw this.#fail('read an answer from', errno);
      if (this.#isAnswer()) return this.#readAnswer();
    }
  }

  /** Events, and responses to requests that timed out, are ignored. */
  #isAnswer(): boolean {
    const { type, messageId } = abi.received;
    const id = this.#view.getBigInt64(receivedAt + messageId, true);
    return this.#view.getInt32(receivedAt + type, true) === responseType && id === BigInt(this.#messageId);
  }

  #readAnswer(): Uint8Array {
    const length = this.#view.getUint16(receivedAt + abi.received.message + abi.message.dataLength, true);
    return new Uint8Array(this.#memory, answerAt, Math.min(length, maxMessageBytes));
  }

  #writeReceived(): void {
    const { address, addressLength, message } = abi.received;
    this.#view.setBigUint64(receivedAt + address, BigInt(this.#base + addressAt), true);
    this.#view.setUint32(receivedAt + addressLength, maxAddressBytes, true);
    this.#view.setUint16(receivedAt + message + abi.message.dataLength, maxMessageBytes, true);
    this.#view.setBigUint64(receivedAt + message + abi.message.data, BigInt(this.#base + answerAt), true);
  }

  #waitUntil(deadlineMs: number): void {
    // struct pollfd: the descriptor, the requested and the returned events.
    this.#view.setInt32(pollAt, this.#fd, true);
    this.#view.setInt16(pollAt + 4, pollIn, true);
    this.#view.setInt16(pollAt + 6, 0, true);
    const leftMs = Math.max(0, Math.ceil(deadlineMs - performance.now()));
    const ready = poll(this.#base + pollAt, 1, leftMs);
    if (ready > 0 || (ready < 0 && koffi.errno() === EINTR)) return;
    if (ready < 0) throw this.#fail('wait for an answer from');
    const seconds = answerTimeoutMs / 1e3;
    throw new Error(`Cannot read an answer from ${this.#path}: expected one within ${seconds} s, found none`);
  }

  #fail(verb: string, errno = koffi.errno()): Error {
    return new Error(`Cannot ${verb} ${this.#path}: ${nameErrno(errno)}`);
  }
}
