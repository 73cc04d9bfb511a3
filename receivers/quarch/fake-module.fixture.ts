import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A module that answers commands, framed as quarchpy expects it. */
export class FakeModule {
  /** The response to each command; undefined: none. */
  answers: Readonly<Record<string, string | undefined>>;
  /** Bytes that are sent instead of any response; empty: the connection is closed. */
  garbage: Buffer | undefined;
  /** How a connection ends after these bytes, or instead of a response. */
  ending: 'close' | 'reset' | undefined;
  /** Whether responses are sent byte by byte. */
  isSlow = false;
  readonly commands: string[] = [];
  connections = 0;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  constructor(answers: Readonly<Record<string, string | undefined>>) {
    this.answers = answers;
  }

  /** @returns its address */
  async listen(t: TestContext, host = '127.0.0.1'): Promise<string> {
    await this.open(host);
    t.after(() => this.close());
    return `${host}:${this.#port}`;
  }

  /** Listens, always on the same port. */
  async open(host = '127.0.0.1'): Promise<void> {
    this.#server = createServer((socket) => this.#serve(socket));
    this.#server.listen(this.#port, host);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port; // The address of a TCP server is an object.
  }

  close(): void {
    this.hangUp();
    this.#server?.close();
  }

  /** Closes every connection. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16LE(0)) {
        const end = 2 + received.readUInt16LE(0);
        this.#answer(socket, received.toString('latin1', 2, end).trim());
        received = received.subarray(end);
      }
    });
  }

  #answer(socket: Socket, command: string): void {
    this.commands.push(command);
    if (this.ending === 'reset') return void socket.resetAndDestroy();
    if (this.ending === 'close' && this.garbage) return void socket.end(this.garbage);
    if (this.garbage) {
      if (this.garbage.length === 0) socket.destroy();
      else socket.write(this.garbage);
      return;
    }
    const answer = this.answers[command];
    if (answer === undefined) return;
    const half = Math.ceil(answer.length / 2);
    const packets = [answer.slice(0, half), `${answer.slice(half)}\r\n>`].map(frame);
    const bytes = Buffer.concat(packets);
    if (!this.isSlow) socket.write(bytes);
    else for (const byte of bytes) socket.write(Buffer.of(byte));
  }
}

/** Frames a response as one packet. */
export function frame(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const header = Buffer.alloc(2);
  header.writeUInt16LE(bytes.length);
  return Buffer.concat([header, bytes]);
}
