import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createFakeContext } from '../component/fakes.js';
import { parseSettings } from '../config/settings.js';
import { clientSettings, openHttpClient } from './client.js';
import { getText, StatusError } from './get.js';
import { Agent } from './node-http.js';

async function serve(t: TestContext, answer: RequestListener) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent();
  t.after(() => {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // the address of a TCP server
  return { agent, url: new URL(`http://127.0.0.1:${port}/status?a=b`) };
}

test('getText reads the whole answer in the pieces that arrive', async (t) => {
  const target = await serve(t, ({ url, headers }, response) => {
    response.write(`${url} `);
    setImmediate(() => response.end(headers.accept));
  });
  assert.equal(await getText(target, 10_000, 100), '/status?a=b application/json');
});

test('getText refuses an answer that is too large', async (t) => {
  const target = await serve(t, (_, response) => void response.end('0123456789'));
  await assert.rejects(getText(target, 10_000, 9), {
    message: 'expected an answer of at most 9 bytes, found more',
  });
});

test('getText throws the status, the reason and the challenge of an answer other than 200', async (t) => {
  const target = await serve(t, (_, response) => {
    response.writeHead(401, { 'WWW-Authenticate': 'Digest realm="a"' }).end('{"message":"no user"}');
  });
  await assert.rejects(getText(target, 10_000, 100), (error) => {
    assert.ok(error instanceof StatusError);
    assert.deepEqual(
      [error.status, error.message, error.challenge],
      [401, 'HTTP 401 no user', 'Digest realm="a"'],
    );
    return true;
  });
});

test('getText aborts with its signal, before and within the answer', async (t) => {
  const target = await serve(t, (_, response) => void response.write('{'));
  const controller = new AbortController();
  const waiting = getText({ ...target, signal: controller.signal }, 10_000, 100);
  setImmediate(() => controller.abort(new Error('enough')));
  await assert.rejects(waiting);
  await assert.rejects(getText({ ...target, signal: AbortSignal.abort() }, 10_000, 100));
});

test('getText throws the reason of its signal within an answer that has begun', async (t) => {
  const target = await serve(t, (_, response) => void response.write('{'));
  const controller = new AbortController();
  const reason = new Error('enough');
  const onOpen = () => controller.abort(reason);
  await assert.rejects(getText({ ...target, onOpen, signal: controller.signal }, 10_000, 100), reason);
});

test('getText times out when the answer stops', async (t) => {
  const target = await serve(t, (_, response) => void response.write('{'));
  await assert.rejects(getText(target, 50, 100), { message: 'expected an answer within 50 ms, found none' });
});

test('a client throws its time limit for an answer that stops, not that it was aborted', async (t) => {
  const { url } = await serve(t, (_, response) => void response.write('{'));
  const config = parseSettings(clientSettings, { timeout: '100ms' });
  const { agent } = openHttpClient(url, config, createFakeContext().log);
  t.after(() => agent.destroy());
  // The limit of the caller is later.
  await assert.rejects(getText({ agent, url }, 60_000, 100), {
    message: 'expected an answer within 100 ms, found none',
  });
});
