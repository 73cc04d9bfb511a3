// A backend in a process of its own, which takes everything and keeps it in a folder: KIND.NUMBER for each request of OTLP/HTTP
// and gRPC, as it came. Prints its ports for both.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';

const [folder = ''] = process.argv.slice(2);
let number = 0;

function keep(kind: string) {
  number += 1;
  return createWriteStream(join(folder, `${kind}.${number}`));
}

const http = createServer((request, response) => {
  request.pipe(keep('http')).on('finish', () => {
    response.setHeader('content-type', 'application/x-protobuf').end();
  });
});

const grpc = createHttp2Server();
grpc.on('stream', (stream) => {
  stream.pipe(keep('grpc')).on('finish', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    // An empty ExportMetricsServiceResponse.
    stream.end(Buffer.alloc(5));
  });
});

async function listen(server: Server): Promise<number> {
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of a server that listens on a port
  return port;
}

console.log(`${await listen(http)} ${await listen(grpc)}`);
