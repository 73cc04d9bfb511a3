import { after } from 'node:test';
import { libc, nameErrno } from './libc.js';
import { encodeLocalAddress } from './notify-socket.js';

const socket: (domain: number, type: number, protocol: number) => number = libc.func(
  'int socket(int domain, int type, int protocol)',
);
const bind: (fd: number, address: Uint8Array, length: number) => number = libc.func(
  'int bind(int fd, void *address, uint32_t length)',
);
const receive: (fd: number, bytes: Uint8Array, length: number, flags: number) => number = libc.func(
  'long recv(int fd, void *bytes, size_t length, int flags)',
);
const close: (fd: number) => number = libc.func('int close(int fd)');

const doNotWait = 0x40;

/** For tests: a service manager's socket. */
export interface FakeServiceManager {
  /** All datagrams received so far. */
  received(): readonly string[];
  close(): void;
}

/**
 * Opens a datagram socket, closed after the tests.
 * @param name a path, or `@` and an abstract name
 */
export function listenAsServiceManager(name: string): FakeServiceManager {
  const address = encodeLocalAddress(name);
  const fd = socket(1, 2 | 0o2000000, 0);
  if (fd < 0 || bind(fd, address, address.length) !== 0)
    throw new Error(`Cannot bind ${name}: ${nameErrno()}`);
  const bytes = Buffer.alloc(4096);
  const messages: string[] = [];
  let isOpen = true;
  const closeOnce = () => {
    if (isOpen) close(fd);
    isOpen = false;
  };
  after(closeOnce);
  return {
    received: () => {
      for (;;) {
        const length = receive(fd, bytes, bytes.length, doNotWait);
        if (length < 0) return messages;
        messages.push(bytes.toString('utf8', 0, length));
      }
    },
    close: closeOnce,
  };
}
