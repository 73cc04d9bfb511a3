// Sends OTLP requests as fast as they are accepted, in a separate process: PROTOCOL PORT LOAD COMPRESSION.
// Starts on a line on standard input with the number of requests; prints how many points were accepted.
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { createRequests, type SentLoad } from './otlp-load.js';

const [protocol = '', port = '', load = '', compression = ''] = process.argv.slice(2);

const path = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
const same = (bytes: Buffer) => bytes;

function sendByGrpc(): (bytes: Buffer) => Promise<void> {
  const client = new Client(`localhost:${port}`, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': compression === 'gzip' ? 2 : 0,
  });
  return (bytes) =>
    new Promise((resolve, reject) => {
      const done = (error: Error | null) => (error ? reject(error) : resolve());
      client.makeUnaryRequest(path, same, same, bytes, new Metadata(), done);
    });
}

function sendByHttp(): (bytes: Buffer) => Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const headers = {
    'Content-Type': 'application/x-protobuf',
    ...(compression === 'gzip' && { 'Content-Encoding': 'gzip' }),
  };
  return (bytes) =>
    new Promise((resolve, reject) => {
      const sent = request(
        { port, host: '127.0.0.1', path: '/v1/metrics', method: 'POST', agent, headers },
        (response) => {
          if (response.statusCode !== 200) reject(new Error(`found status ${response.statusCode}`));
          response.resume().on('end', resolve);
        },
      );
      sent.on('error', reject).end(compression === 'gzip' ? gzipSync(bytes, { level: 1 }) : bytes);
    });
}

const send = protocol === 'grpc' ? sendByGrpc() : sendByHttp();
// The benchmark passes one of them.
const requests = createRequests(load as SentLoad);

for await (const line of createInterface({ input: process.stdin })) {
  let points = 0;
  // Sequentially, as the exporters do, so that points of a series arrive in order.
  for (let left = Number(line); left > 0; left -= 1) {
    const { value } = requests.next();
    await send(value.bytes);
    points += value.points;
  }
  console.log(points);
}
process.exit();
