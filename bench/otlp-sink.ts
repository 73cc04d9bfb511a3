// A backend in a separate process, which accepts every request without decoding it. Prints its ports for
// OTLP/HTTP and gRPC. With a folder as its argument it stores each request there unchanged: KIND.NUMBER.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

const [folder] = process.argv.slice(2);
let number = 0;

/** Calls back when a request is complete, and on disk if it is stored. */
function take(request: Readable, kind: string, answer: () => void): void {
  if (folder === undefined) {
    request.resume().on('end', answer);
    return;
  }
  number += 1;
  request.pipe(createWriteStream(join(folder, `${kind}.${number}`))).on('finish', answer);
}

const http = createServer((request, response) => {
  take(request, 'http', () => response.setHeader('content-type', 'application/x-protobuf').end());
});

const grpc = createHttp2Server();
grpc.on('stream', (stream) => {
  take(stream, 'grpc', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    // An empty ExportMetricsServiceResponse.
    stream.end(Buffer.alloc(5));
  });
});

async function listen(server: Server): Promise<number> {
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a server that listens on a port
  return port;
}

console.log(`${await listen(http)} ${await listen(grpc)}`);
