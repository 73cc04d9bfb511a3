import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createLogCollector } from '../contract/fakes.js';
import { until } from '../contract/until.js';
import { readDescriptorLimit } from '../linux/open-files-limit.js';
import { servePages, type Pages } from './server.js';

async function start(t: TestContext, pages: Pages) {
  const log = createLogCollector();
  const listener = await servePages(pages, { chosen: 'localhost:0', fallback: '', setting: 'a.b', log });
  assert.ok(listener);
  t.after(() => listener.close());
  const port = Number(listener.address.split(':')[1]);
  return { port, log, origin: `http://${listener.address}` };
}

const hello = { '/hello': () => ({ status: 200, body: 'hello\n' }) };

/** A connection that collects what it receives. */
async function open(t: TestContext, port: number) {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  t.after(() => socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => (text += part));
  await once(socket, 'connect');
  return { socket, read: () => text };
}

async function ask(t: TestContext, port: number, request: string): Promise<string> {
  const { socket, read } = await open(t, port);
  socket.write(request);
  // Not once(): it would reject where the server resets the connection.
  await until(() => socket.closed);
  return read();
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
const get = (path: string, host = 'localhost') =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

test('servePages answers GET and HEAD of its pages, and 404 to other paths', async (t) => {
  const { origin, port } = await start(t, hello);
  const response = await fetch(`${origin}/hello?a=1`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.equal(await response.text(), 'hello\n');
  const head = await ask(t, port, get('/hello').replace('GET', 'HEAD'));
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n(.*\r\n)*Content-Length: 6\r\n(.*\r\n)*\r\n$/);
  assert.equal(await (await fetch(`${origin}/`)).text(), 'Not found, try /hello\n');
  assert.equal(statusOf(await ask(t, port, get('/__proto__'))), 404);
});

test('servePages answers other methods with 405', async (t) => {
  const { origin } = await start(t, hello);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const response = await fetch(`${origin}/hello`, { method });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get('allow'), 'GET, HEAD');
  }
});

test('servePages answers a Host header of another name with 403, and none in HTTP/1.0', async (t) => {
  const { port } = await start(t, hello);
  assert.equal(statusOf(await ask(t, port, get('/hello', `evil.example:${port}`))), 403);
  assert.equal(statusOf(await ask(t, port, get('/hello', `127.0.0.1:${port}`))), 200);
  assert.equal(statusOf(await ask(t, port, 'GET /hello HTTP/1.0\r\n\r\n')), 200);
});

test('servePages takes a target with a scheme, and its authority instead of the Host header', async (t) => {
  const { port } = await start(t, hello);
  const statusFor = async (target: string, host: string) => statusOf(await ask(t, port, get(target, host)));
  assert.equal(await statusFor('http://localhost/hello', 'localhost'), 200);
  assert.equal(await statusFor(`HTTP://127.0.0.1:${port}/hello?a=/b`, 'evil.example'), 200);
  assert.equal(await statusFor('http://evil.example/hello', 'localhost'), 403);
  for (const authority of ['', 'localhost@evil.example', 'me:x@localhost']) {
    assert.equal(await statusFor(`http://${authority}/hello`, 'localhost'), 403, authority);
  }
  assert.equal(await statusFor('http://localhost', 'localhost'), 404);
});

test('servePages logs why, when a page cannot be made, and answers the next request', async (t) => {
  const { origin, log } = await start(t, {
    ...hello,
    '/bad': () => Promise.reject(new Error('Cannot make it')),
  });
  await assert.rejects(fetch(`${origin}/bad`));
  assert.deepEqual(log.lines, ['error: Cannot serve /bad: Cannot make it']);
  assert.equal((await fetch(`${origin}/hello`)).status, 200);
});

test('servePages answers a bounded number of pipelined requests', async (t) => {
  let asked = 0;
  const { port } = await start(t, { '/count': () => ({ status: 200, body: `${++asked}\n` }) });
  const many = get('/count').replace('Connection: close\r\n', '').repeat(3000);
  const answers = await ask(t, port, many);
  assert.ok(asked > 0 && asked <= 100, `asked ${asked} times`);
  assert.ok(answers.split('HTTP/1.1 200').length - 1 <= 100);
});

test('servePages keeps room for a scraper, when hundreds of connections are idle', async (t) => {
  const { port, origin, log } = await start(t, hello);
  const sockets: Socket[] = [];
  for (let i = 0; i < 200; i++) sockets.push((await open(t, port)).socket);
  assert.equal(await (await fetch(`${origin}/hello`)).text(), 'hello\n');
  const limit = Math.max(4, Math.min(64, Math.floor(readDescriptorLimit() / 16)));
  await until(() => sockets.filter((socket) => !socket.closed).length <= limit);
  assert.equal(log.lines.length, 1);
  assert.match(log.lines[0] ?? '', /^warn: Closing idle connections: expected at most \d+, found \d+$/);
});
