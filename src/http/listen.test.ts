import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { createLogCollector } from '../component/fakes.js';
import { parseEndpoint } from '../config/endpoint.js';
import { listen, listenOrWarn } from './listen.js';

const log = createLogCollector();
const silent = () => createServer((_, response) => response.end('here'));

test('parseEndpoint parses host and port with a name, IPv4, IPv6 or an empty host', () => {
  assert.deepEqual(parseEndpoint('localhost:9464'), { host: 'localhost', port: 9464 });
  assert.deepEqual(parseEndpoint('10.0.0.1:80'), { host: '10.0.0.1', port: 80 });
  assert.deepEqual(parseEndpoint('[::1]:9464'), { host: '::1', port: 9464 });
  assert.deepEqual(parseEndpoint(':0'), { host: '', port: 0 });
});

test('parseEndpoint throws when the text is not an endpoint', () => {
  for (const text of ['localhost', '9464', '::1:9464', 'localhost:65536', 'http://localhost:1']) {
    assert.throws(() => parseEndpoint(text), {
      message: `Cannot parse endpoint: expected host:port, [::1]:port or :port, found "${text}"`,
    });
  }
});

test('listen serves on 127.0.0.1 when the host is localhost', async () => {
  const listener = await listen(silent(), 'localhost:0', { log });
  assert.match(listener.address, /^127\.0\.0\.1:\d+$/);
  const response = await fetch(`http://${listener.address}/`);
  assert.equal(await response.text(), 'here');
  await listener.close();
});

test('listen ends a connection without traffic', async () => {
  const server = silent();
  const listener = await listen(server, 'localhost:0', { log });
  assert.equal(server.timeout, 10_000);
  await listener.close();
});

test('listen throws when the port is in use', async () => {
  const first = await listen(silent(), 'localhost:0', { log });
  const { port } = parseEndpoint(first.address);
  await assert.rejects(listen(silent(), `localhost:${port}`, { log }), {
    message: `Cannot listen on localhost:${port}: EADDRINUSE, another program uses the port; stop it or set another one`,
  });
  await first.close();
});

test('listen throws when no interface has the address', async () => {
  await assert.rejects(
    listen(silent(), '192.0.2.1:0', { log }),
    /EADDRNOTAVAIL, no interface of this machine/,
  );
});

test('close ends idle connections, and does nothing when called again', async () => {
  const listener = await listen(silent(), 'localhost:0', { log });
  await (await fetch(`http://${listener.address}/`)).text();
  await listener.close();
  await listener.close();
  await assert.rejects(fetch(`http://${listener.address}/`));
});

test('listenOrWarn warns and continues when the default port is in use', async () => {
  const warned = createLogCollector();
  const first = await listen(silent(), 'localhost:0', { log });
  const fallback = `localhost:${parseEndpoint(first.address).port}`;
  assert.equal(
    await listenOrWarn(silent(), { chosen: null, fallback, setting: 'a.endpoint', log: warned }),
    undefined,
  );
  assert.deepEqual(warned.lines, [
    `warn: Cannot listen on ${fallback} (a.endpoint): EADDRINUSE, another program uses the port; stop it or set another one. Continuing without this endpoint`,
  ]);
  await first.close();
});

test('listenOrWarn throws when the port that the user set is in use', async () => {
  const first = await listen(silent(), 'localhost:0', { log });
  const chosen = `localhost:${parseEndpoint(first.address).port}`;
  const options = { chosen, fallback: 'localhost:0', setting: 'a.endpoint', log };
  await assert.rejects(
    listenOrWarn(silent(), options),
    /^Error: Cannot listen on localhost:\d+ \(a\.endpoint\): EADDRINUSE/,
  );
  await first.close();
});

test('listen keeps the process alive and logs when a connection cannot be accepted', async () => {
  const quiet = createLogCollector();
  const server = silent();
  const listener = await listen(server, 'localhost:0', { log: quiet });
  server.emit('error', new Error('accept EMFILE'));
  assert.deepEqual(quiet.lines, ['warn: Cannot accept a connection on localhost:0: accept EMFILE']);
  await listener.close();
});
