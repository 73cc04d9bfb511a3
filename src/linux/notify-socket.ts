import { koffi } from './koffi.js';
import { libc, nameErrno } from './libc.js';

const socket = libc.func('int socket(int domain, int type, int protocol)') as (
  domain: number,
  type: number,
  protocol: number,
) => number;
const connect = libc.func('int connect(int fd, void *address, uint32_t length)') as (
  fd: number,
  address: Uint8Array,
  length: number,
) => number;
const send = libc.func('long send(int fd, void *bytes, size_t length, int flags)') as (
  fd: number,
  bytes: Uint8Array,
  length: number,
  flags: number,
) => number;
const close = libc.func('int close(int fd)') as (fd: number) => number;

// include/uapi/linux/un.h, include/linux/socket.h and net.h; the same numbers on every architecture that Node runs on.
const localFamily = 1;
const datagram = 2;
const closeOnExec = 0o2000000;
const doNotWait = 0x40;
const noSignal = 0x4000;
/** Size of `sun_path` in bytes. */
const maxPathBytes = 108;

/**
 * The address of a Unix socket: struct sockaddr_un of unix(7), starting with a NUL if the name is abstract.
 * @param name a path, or `@` and an abstract name, as systemd writes it
 * @throws Error if it is neither, or too long
 */
export function encodeLocalAddress(name: string): Buffer {
  const isAbstract = name.startsWith('@');
  if (!isAbstract && !name.startsWith('/'))
    throw new Error(`Cannot use the socket "${name}": expected a path or "@" and a name, found neither`);
  const path = Buffer.from(isAbstract ? `\0${name.slice(1)}` : `${name}\0`);
  if (path.length > maxPathBytes)
    throw new Error(
      `Cannot use the socket "${name}": expected at most ${maxPathBytes - 1} bytes, found ${path.length - 1}`,
    );
  const family = Buffer.alloc(2);
  new Uint16Array(family.buffer, family.byteOffset, 1)[0] = localFamily;
  return Buffer.concat([family, path]);
}

/** A Unix datagram socket, which Node does not provide, for notifying a service manager. */
export class NotifySocket {
  #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Connects to the socket of a service manager.
   * @param name a path, or `@` and an abstract name: NOTIFY_SOCKET of sd_notify(3)
   * @throws Error if no socket with that name accepts datagrams
   */
  static connect(name: string): NotifySocket {
    const address = encodeLocalAddress(name);
    const fd = socket(localFamily, datagram | closeOnExec, 0);
    if (fd < 0) throw new Error(`Cannot open a datagram socket: ${nameErrno()}`);
    if (connect(fd, address, address.length) === 0) return new NotifySocket(fd);
    const code = nameErrno();
    close(fd);
    throw new Error(`Cannot notify the service manager at "${name}": ${code}`);
  }

  /**
   * Sends a text in one datagram, without waiting.
   * @returns the error code if it could not be sent, `EAGAIN` when the receiver's queue is full; otherwise
   * undefined
   */
  send(text: string): string | undefined {
    const bytes = Buffer.from(text);
    if (send(this.#fd, bytes, bytes.length, doNotWait | noSignal) >= 0) return undefined;
    return nameErrno(koffi.errno());
  }

  /** May be called twice. */
  close(): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
  }
}
