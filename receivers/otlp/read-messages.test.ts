import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ChannelCredentials, Client, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { createMeterReader } from '../../src/component/fakes.js';
import { markCompressed, sendCompressed } from '../../src/otlp/grpc-compression.js';
import { until } from '../../src/testing/until.js';
import { MessageBuffers, prefixBytes } from './message-buffers.js';
import { readInOnePiece } from './read-messages.js';
import { startReceiver } from './receiver.fixture.js';
import { encodeRequest } from './request.fixture.js';

const path = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
const maxBytes = 4 * 1024 * 1024;
const good = Buffer.from(encodeRequest({ metrics: [{ name: 'g', points: [{ time: 10n, double: 1 }] }] }));

const same = (bytes: Buffer) => bytes;

async function start(t: TestContext) {
  const meter = createMeterReader();
  const { grpc, log, list } = await startReceiver(t, { meter: meter.meter });
  const client = new Client(new URL(grpc).host, ChannelCredentials.createInsecure());
  sendCompressed(client, { takesGzip: true });
  t.after(() => client.close());
  const call = (bytes: Buffer, metadata = new Metadata()): Promise<ServiceError | null> =>
    new Promise((resolve) => client.makeUnaryRequest(path, same, same, bytes, metadata, resolve));
  /** Sends a message and does not end the call. */
  const open = (bytes: Buffer) => {
    const opened: { error?: ServiceError | null; cancel(): void } = { cancel: () => stream.cancel() };
    const stream = client.makeClientStreamRequest(path, same, same, (error) => (opened.error = error));
    stream.write(bytes);
    return opened;
  };
  const logged = log.lines.length;
  const countOf = async (outcome: string) =>
    (await meter.read())[`joulemetry.otlp.requests{otlp,${outcome}}`];
  return { call, open, list, countOf, readLog: () => log.lines.slice(logged) };
}

test('readInOnePiece replaces the decoder of grpc-js, counts a message that is too long, and logs it once', async (t) => {
  const { call, countOf, readLog } = await start(t);
  for (let i = 0; i < 2; i++) {
    const error = await call(Buffer.alloc(maxBytes + 1));
    // The message is not that of the library: it still has the decoder that is replaced.
    const details = 'Cannot receive a message: expected at most 4194304 bytes, found 4194305';
    assert.deepEqual([error?.code, error?.details], [status.RESOURCE_EXHAUSTED, details]);
  }
  assert.equal(await countOf('malformed'), 2);
  assert.equal(readLog().length, 1);
  assert.match(readLog()[0] ?? '', /^warn: Refused a request: Cannot receive a message: /u);
});

test('readInOnePiece counts and logs a message that is not gzip, and takes others', async (t) => {
  const { call, countOf, readLog, list } = await start(t);
  const error = await call(good, markCompressed(new Metadata()));
  assert.equal(error?.code, status.INTERNAL);
  assert.match(error.details, /^Cannot decompress the request: /u);
  assert.equal(await countOf('malformed'), 1);
  assert.match(readLog().join('\n'), /^warn: Refused a request: Cannot decompress the request: .*$/u);
  assert.equal(await call(good), null);
  assert.deepEqual(list(), ['g 0 10 1']);
});

test('readInOnePiece decompresses into a pooled buffer, and returns that of the compressed message', async () => {
  const buffers = new MessageBuffers(1e9);
  const call: Parameters<typeof readInOnePiece>[0] = { decompressMessage: (message) => message };
  readInOnePiece(call, { maxBytes, buffers, refuse: () => assert.fail() });
  const gzip = gzipSync(Buffer.alloc(10_000, 'a'));
  const sent = buffers.take(prefixBytes + gzip.length);
  gzip.copy(sent, prefixBytes);
  const message = await call.decompressMessage?.(sent.subarray(0, prefixBytes + gzip.length), 'gzip');
  assert.ok(message);
  assert.deepEqual(message, Buffer.alloc(10_000, 'a'));
  assert.equal(buffers.take(gzip.length).buffer, sent.buffer);
  buffers.giveBack(message);
  assert.equal(buffers.take(10_000).buffer, message.buffer);
});

test('readInOnePiece refuses more than 64 MiB of all calls together, until calls end', async (t) => {
  const { call, open, countOf } = await start(t);
  const calls = Array.from({ length: 17 }, () => open(Buffer.alloc(maxBytes)));
  const listRefused = () => calls.filter(({ error }) => error !== undefined);
  await until(() => listRefused().length > 0);
  const [refused] = listRefused();
  assert.equal(refused?.error?.code, status.UNAVAILABLE);
  assert.match(refused.error.details, /expected at most 67108864 bytes of requests at a time, found more$/u);
  assert.match(String(refused.error.metadata.get('grpc-status-details-bin')), /RetryInfo/u);
  assert.deepEqual([listRefused().length, await countOf('busy')], [1, 1]);
  for (const { cancel } of calls) cancel();
  // Zeros are not a valid message.
  await until(async () => (await call(Buffer.alloc(maxBytes)))?.code === status.INVALID_ARGUMENT);
});
