// A backend in a process of its own, which takes everything and looks at nothing. Prints its ports for OTLP/HTTP and gRPC.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';

const http = createServer((request, response) => {
  request.resume().on('end', () => response.setHeader('content-type', 'application/x-protobuf').end());
});

const grpc = createHttp2Server();
grpc.on('stream', (stream) => {
  stream.resume().on('end', () => {
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
