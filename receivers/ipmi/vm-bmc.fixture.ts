import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { systemController, type IpmiTransport } from './bmc.js';

// The protocol by which a BMC serves a virtual machine: QEMU's hw/ipmi/ipmi_bmc_extern.c, and OpenIPMI.

const messageEnd = 0xa0;
/** Ends a command that does not concern IPMI, such as a reset of the machine. */
const commandEnd = 0xa1;
const escape = 0xaa;
const escapedBit = 0x10;

/** Serves a BMC on a free port of this machine, to one connection after another. */
export async function serveBmc(bmc: IpmiTransport): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    serve(bmc, socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function serve(bmc: IpmiTransport, socket: Socket): void {
  let message: number[] = [];
  let isEscaped = false;
  socket.on('data', (chunk: Buffer) => {
    for (const byte of chunk) {
      if (byte === messageEnd) {
        const answer = answerMessage(bmc, message);
        if (answer !== undefined) socket.write(answer);
      }
      if (byte === messageEnd || byte === commandEnd) message = [];
      else if (byte === escape) isEscaped = true;
      else {
        message.push(isEscaped ? byte & ~escapedBit : byte);
        isEscaped = false;
      }
    }
  });
}

/** A sequence number, the network function and logical unit, the command, its data, and a checksum. */
function answerMessage(bmc: IpmiTransport, message: readonly number[]): Buffer | undefined {
  const [sequence = 0, function_ = 0, command = 0] = message;
  if (message.length < 4 || checksum(message) !== 0) return undefined;
  const bytes = message.slice(3, -1);
  const answer = bmc.send(systemController, { netFn: function_ >> 2, command, bytes });
  const plain = [sequence, function_ | 4, command, ...answer];
  const escaped = [...plain, checksum(plain)].flatMap((byte) =>
    byte === messageEnd || byte === commandEnd || byte === escape ? [escape, byte | escapedBit] : byte,
  );
  return Buffer.from([...escaped, messageEnd]);
}

/** What makes the sum of all bytes a multiple of 256. */
function checksum(bytes: readonly number[]): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}
