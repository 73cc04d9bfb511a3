import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { createMeterReader } from '../../src/component/fakes.js';
import { until } from '../../src/testing/until.js';
import { startReceiver } from './receiver.fixture.js';
import { encodeRequest } from './request.fixture.js';

const protobuf = 'application/x-protobuf';
const whole = Buffer.from(encodeRequest({ metrics: [{ name: 'bad', points: [{ time: 10n, double: 1 }] }] }));

/** Requests of faulty senders, and the expected log lines. */
const faults: Readonly<Record<string, readonly [string, Buffer, RegExp, string?]>> = {
  truncated: [protobuf, whole.subarray(0, -3), /Refused a request: .*expected/u],
  garbage: [protobuf, Buffer.from('\xff\x80\0??', 'latin1'), /Refused a request: .*expected/u],
  'no JSON': ['application/json', Buffer.from('{"resourceMetrics":['), /Refused a request: .*/u],
  'no gzip': [protobuf, whole, /Refused a request: .*/u, 'gzip'],
  'no metrics': ['text/plain', Buffer.from('up 1'), /Refused a request: .*expected Content-Type/u],
};

for (const [name, [type, body, problem, encoding]] of Object.entries(faults)) {
  test(`otlp withstands a sender with the fault "${name}", counts and logs it, and takes what others send`, async (t) => {
    const meter = createMeterReader();
    const { http, log, list } = await startReceiver(t, { meter: meter.meter });
    const logged = log.lines.length;
    const post = async (bytes: Buffer, headers: Record<string, string>): Promise<number> => {
      const { status } = await fetch(`${http}/v1/metrics`, { method: 'POST', body: bytes, headers });
      return status;
    };
    const expected: string[] = [];
    for (let i = 1; i <= 3; i++) {
      const headers = {
        'content-type': type,
        ...(encoding !== undefined && { 'content-encoding': encoding }),
      };
      assert.ok((await post(body, headers)) >= 400);
      const good = encodeRequest({ metrics: [{ name: 'good', points: [{ time: BigInt(i), double: i }] }] });
      assert.equal(await post(Buffer.from(good), { 'content-type': protobuf }), 200);
      expected.push(`good 0 ${i} ${i}`);
    }
    assert.deepEqual(list(), expected, 'nothing of the faulty sender');
    const lines = log.lines.slice(logged);
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0] ?? '', problem);
    const counts = await meter.read();
    assert.equal(counts['joulemetry.otlp.requests{otlp,malformed}'], 3);
    assert.equal(counts['joulemetry.otlp.requests{otlp,taken}'], 3);
  });
}

test('otlp withstands senders that are gone within a request, and takes it when it is sent again', async (t) => {
  const { http, list } = await startReceiver(t);
  const { port } = new URL(http);
  const head = `POST /v1/metrics HTTP/1.1\r\nHost: a\r\nContent-Type: ${protobuf}\r\nContent-Length: ${whole.length}\r\n\r\n`;
  let gone = 0;
  for (let i = 0; i < 3; i++) {
    const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
    socket.write(Buffer.concat([Buffer.from(head), whole.subarray(0, 5)]), () => socket.resetAndDestroy());
    socket.on('close', () => gone++);
  }
  await until(() => gone === 3);
  assert.deepEqual(list(), []);
  const again = await fetch(`${http}/v1/metrics`, {
    method: 'POST',
    body: whole,
    headers: { 'content-type': protobuf },
  });
  assert.equal(again.status, 200);
  assert.deepEqual(list(), ['bad 0 10 1']);
});

test('otlp counts requests for which it has no memory, and takes others when these have ended', async (t) => {
  const meter = createMeterReader();
  const { http, list } = await startReceiver(t, { meter: meter.meter });
  const statuses: (number | undefined)[] = [];
  // 68 MiB of requests that never end; the limit is 64 MiB.
  const senders = Array.from({ length: 4 }, () => {
    const options = { method: 'POST', headers: { 'content-type': protobuf }, agent: false };
    const sender = request(`${http}/v1/metrics`, options, ({ statusCode }) => statuses.push(statusCode));
    sender.on('error', () => {}).write(Buffer.alloc(17 * 1024 * 1024));
    return sender;
  });
  t.after(() => senders.forEach((sender) => sender.destroy()));
  await until(() => statuses.length > 0);
  assert.deepEqual(statuses, [503]);
  assert.equal((await meter.read())['joulemetry.otlp.requests{otlp,busy}'], 1);
  for (const sender of senders) sender.destroy();
  const { status } = await fetch(`${http}/v1/metrics`, {
    method: 'POST',
    body: whole,
    headers: { 'content-type': protobuf },
  });
  assert.equal(status, 200);
  assert.deepEqual(list(), ['bad 0 10 1']);
});

/** A point of a counter that started at 0 at an instant. */
const count = (name: string, start: bigint, time: bigint, int: number) =>
  Buffer.from(encodeRequest({ metrics: [{ name, kind: 'sum', points: [{ start, time, int }] }] }));

test('otlp continues the counter of a sender that was reset, and those of other senders, without a problem', async (t) => {
  const meter = createMeterReader();
  const { http, log, list } = await startReceiver(t, { meter: meter.meter });
  const logged = log.lines.length;
  const post = async (body: Buffer): Promise<void> => {
    const headers = { 'content-type': protobuf };
    const { status } = await fetch(`${http}/v1/metrics`, { method: 'POST', body, headers });
    assert.equal(status, 200);
  };
  await post(count('reset', 5n, 10n, 100));
  await post(count('other', 5n, 10n, 7));
  // Restarted, with a start of its own; then without a sign of it but its value.
  await post(count('reset', 15n, 20n, 1));
  await post(count('other', 5n, 20n, 9));
  await post(count('reset', 15n, 30n, 0));
  await post(Buffer.alloc(0));
  assert.deepEqual(list(), [
    'reset 5 10 100',
    'other 5 10 7',
    'end reset',
    'reset 15 20 1',
    'other 5 20 9',
    'end reset',
    'reset 20 30 0',
  ]);
  assert.deepEqual(log.lines.slice(logged), []);
  assert.equal((await meter.read())['joulemetry.otlp.requests{otlp,taken}'], 6);
});
