import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { ReceiverContext } from '../../src/component/component.js';
import { createMeterReader } from '../../src/component/fakes.js';
import { countOpen, expectNothingLeft } from '../../src/linux/open-resources.js';
import { readDescriptorLimit } from '../../src/linux/privileges.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { until } from '../../src/testing/until.js';
import { startReceiver } from './receiver.fixture.js';
import { encodeRequest } from './request.fixture.js';

/** A running receiver, and its ports. */
async function start(t: TestContext, overrides: Partial<ReceiverContext> = {}) {
  const started = await startReceiver(t, overrides);
  return { ...started, grpc: portOf(started.grpc), http: portOf(started.http) };
}

function portOf(origin: string): number {
  return Number(/:(\d+)$/u.exec(origin)?.[1]);
}

let time = 0n;
const createRequest = () =>
  encodeRequest({ metrics: [{ name: 'g', points: [{ time: (time += 10n), double: 1 }] }] });

async function postOne(port: number): Promise<number> {
  const { status } = await fetch(`http://127.0.0.1:${port}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: Buffer.from(createRequest()),
  });
  return status;
}

const grpcHeaders = {
  ':method': 'POST',
  ':path': '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** A gRPC message: no compression, length, bytes. */
function frame(bytes: Uint8Array, length = bytes.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}

function openSession(t: TestContext, port: number): ClientHttp2Session {
  const session = connectHttp2(`http://127.0.0.1:${port}`).on('error', () => {});
  t.after(() => session.destroy());
  return session;
}

/** The status with which a call ends; undefined if the connection was closed. */
async function callOne(
  t: TestContext,
  port: number,
  { body = frame(createRequest()), encoding = 'identity' } = {},
): Promise<unknown> {
  const stream = openSession(t, port).request({ ...grpcHeaders, 'grpc-encoding': encoding });
  let found: unknown;
  const keep = (headers: Readonly<Record<string, unknown>>) => (found = headers['grpc-status'] ?? found);
  stream
    .on('response', keep)
    .on('trailers', keep)
    .on('error', () => {});
  stream.resume().end(body);
  await until(() => stream.closed);
  return found;
}

async function openSocket(t: TestContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

test('the receiver outlives garbage on its sockets', async (t) => {
  const { grpc, http, list } = await start(t);
  const random = createRandom(1);
  const starts = [
    '',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'POST /v1/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n',
  ];
  for (let i = 0; i < 60; i += 1) {
    const garbage = Buffer.from(Array.from({ length: 1 + (i % 40) }, () => random.whole(256)));
    const socket = await openSocket(t, i % 2 === 0 ? grpc : http);
    socket.end(Buffer.concat([Buffer.from(starts[i % 3] ?? ''), garbage]));
  }
  assert.equal(await postOne(http), 200);
  assert.equal(await callOne(t, grpc), '0');
  assert.equal(list().length, 2);
});

test('the receiver answers damaged messages of gRPC', async (t) => {
  const { grpc, list } = await start(t);
  assert.equal(await callOne(t, grpc, { body: frame(Buffer.of(255, 255)) }), '3');
  // Shorter than its length, too long, not gzip, an unknown encoding, and empty.
  assert.notEqual(await callOne(t, grpc, { body: frame(createRequest(), 1000) }), '0');
  assert.equal(await callOne(t, grpc, { body: frame(Buffer.alloc(1), 100 * 1024 * 1024) }), '8');
  const compressed = frame(createRequest());
  compressed[0] = 1;
  assert.equal(await callOne(t, grpc, { body: compressed, encoding: 'gzip' }), '13');
  assert.equal(await callOne(t, grpc, { body: compressed, encoding: 'br' }), '12');
  assert.notEqual(await callOne(t, grpc, { body: Buffer.alloc(0) }), '0');
  assert.deepEqual(list(), []);
});

test('the receiver gives up requests that do not go on, counts and logs them once, and takes others meanwhile', async (t) => {
  const meter = createMeterReader();
  const { grpc, http, list, log } = await start(t, { meter: meter.meter });
  const slow = await openSocket(t, http);
  slow
    .resume()
    .write(
      'POST /v1/metrics HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: 100\r\n\r\nabc',
    );
  // One that is closed in the middle, and one whose sender stops sending.
  const cut = await openSocket(t, http);
  cut.write('POST /v1/metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc', () =>
    cut.resetAndDestroy(),
  );
  const halfClosed = await openSocket(t, http);
  halfClosed.resume().end('POST /v1/metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc');
  // Headers that never end, of the first and of the second request of a connection, and a connection that sends nothing.
  const headless = await openSocket(t, http);
  headless.resume().write('POST /v1/metrics HTTP/1.1\r\nHost: loc');
  const second = await openSocket(t, http);
  second.write('GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(second, 'data');
  second.resume().write('POST /v1/metrics HT');
  const idle = await openSocket(t, http);
  idle.resume();
  const statuses: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    const hanging = openSession(t, grpc).request(grpcHeaders);
    const keep = (headers: Readonly<Record<string, unknown>>) => {
      if (headers['grpc-status'] !== undefined) statuses.push(headers['grpc-status']);
    };
    hanging
      .on('response', keep)
      .on('trailers', keep)
      .on('error', () => {});
    hanging.resume().write(frame(Buffer.alloc(3), 100));
  }
  assert.equal(await postOne(http), 200);
  assert.equal(await callOne(t, grpc), '0');
  assert.equal(list().length, 2);
  const closed = [slow, halfClosed, headless, second, idle];
  await until(() => closed.every((one) => one.readableEnded) && statuses.length === 2);
  assert.deepEqual(statuses, ['4', '4']);
  assert.equal((await meter.read())['joulemetry.otlp.requests{otlp,unfinished}'], 4);
  const unfinished = log.lines.filter((line) => /expected (?:it|its headers) within 10 s, found/u.test(line));
  assert.equal(unfinished.length, 1, log.lines.join('\n'));
  assert.deepEqual(list(), [], 'nothing of requests that are not whole');
});

test('a thousand idle connections lock no sender out, and leave nothing behind', async (t) => {
  const before = countOpen();
  const { receiver, grpc, http, log } = await start(t);
  const limit = Math.max(4, Math.min(1024, Math.floor(readDescriptorLimit() / 16)));
  const sockets: Socket[] = [];
  for (let i = 0; i < 600; i += 1) sockets.push(await openSocket(t, grpc), await openSocket(t, http));
  assert.equal(await postOne(http), 200);
  assert.equal(await callOne(t, grpc), '0');
  if (limit < 600) assert.match(log.lines.join('\n'), /Closing idle connections/);
  for (const socket of sockets) socket.destroy();
  await receiver.shutdown();
  await expectNothingLeft(before);
});

test('shutdown ends connections on which requests are under way', async (t) => {
  const before = countOpen();
  const { receiver, grpc, http } = await start(t);
  const session = openSession(t, grpc);
  const stream = session.request(grpcHeaders).on('error', () => {});
  stream.write(frame(Buffer.alloc(3), 100));
  const socket = await openSocket(t, http);
  socket.resume().write('POST /v1/metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc');
  await until(() => session.socket !== undefined && !session.connecting);
  await receiver.shutdown();
  await until(() => stream.closed && socket.closed);
  session.destroy();
  await expectNothingLeft(before);
});
