import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** A protocol whose messages contain their length. */
export interface Framing {
  /** The length of the message at the start of these bytes; undefined: not known yet. */
  lengthOf(bytes: Buffer): number | undefined;
  /** @returns bytes to send back, if any */
  answer(message: Buffer): Uint8Array | undefined;
}

export interface FramedServerOptions {
  readonly address?: string;
  readonly port?: number;
  readonly tls?: TlsOptions | undefined;
}

/** For tests: a TCP server of such a protocol, which is stopped after the test. */
export interface FramedServer {
  readonly port: number;
  /** Also closes every connection. May be called twice. */
  close(): Promise<void>;
}

export async function openFramedServer(
  t: TestContext,
  { address = 'localhost', port = 0, tls }: FramedServerOptions,
  framing: Framing,
): Promise<FramedServer> {
  const sockets = new Set<Socket>();
  const take = (socket: Socket) => {
    sockets.add(socket);
    serve(socket, framing);
  };
  const server = tls ? createTlsServer(tls, take) : createServer(take);
  const close = async () => {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  t.after(close);
  server.listen(port, address);
  await once(server, 'listening');
  // A listening server has such an address.
  return { port: (server.address() as AddressInfo).port, close };
}

function serve(socket: Socket, { lengthOf, answer }: Framing): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (
      let length = lengthOf(rest);
      length !== undefined && rest.length >= length;
      length = lengthOf(rest)
    ) {
      const bytes = answer(rest.subarray(0, length));
      rest = rest.subarray(length);
      if (bytes) socket.write(bytes);
    }
  });
}
