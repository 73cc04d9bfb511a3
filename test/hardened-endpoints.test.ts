import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { elementAt } from '../src/element.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent, writeConfig } from './agent.js';

/** An agent with every kind of HTTP server that it has, and the number of points that it has read so far. */
async function startServing(t: TestContext) {
  const folder = createFolder();
  const output = join(folder, 'out.jsonl');
  const config = writeConfig(`
receivers:
  simulator: { collection_interval: 20ms }
  otlp: { protocols: { http: { endpoint: 'localhost:0' } } }
exporters:
  prometheus: { endpoint: 'localhost:0' }
  file: { path: ${output}, flush_interval: 50ms }
extensions:
  health_check: { endpoint: 'localhost:0' }
  control:
    socket: { path: ${join(folder, 'control.sock')} }
    http: { endpoint: 'localhost:0', token_file: ${join(folder, 'token')} }
service:
  telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: localhost, port: 0 } } } }] } }
  extensions: [health_check, control]
  pipelines: { metrics: { receivers: [simulator, otlp], exporters: [prometheus, file] } }
`);
  const agent = startAgent(['run', '-c', config]);
  t.after(() => agent.stop());
  const portIn = async (pattern: RegExp) => Number(await agent.waitFor(pattern));
  const ports = {
    prometheus: await portIn(/prometheus: Serving metrics at http:\/\/127\.0\.0\.1:(\d+)/u),
    health: await portIn(/Serving health at http:\/\/127\.0\.0\.1:(\d+)/u),
    control: await portIn(/Accepting control requests at http:\/\/127\.0\.0\.1:(\d+)/u),
    otlp: await portIn(/Receiving OTLP\/HTTP at http:\/\/127\.0\.0\.1:(\d+)/u),
  };
  await agent.waitFor(/Everything is ready/u);
  return { agent, ports, countRows: () => readFileSync(output, 'utf8').split('\n').length };
}

/** Connections of a malicious client. All are closed after the test. */
function openConnections(t: TestContext, port: number, count: number): readonly Socket[] {
  const sockets = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1' }));
  // The agent may close or reset them.
  for (const socket of sockets) socket.on('error', () => {}).resume();
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  return sockets;
}

/** Waits until the agent has continued to measure, and a well-behaved client is answered. */
async function goesOn(countRows: () => number, ports: readonly number[]): Promise<void> {
  const before = countRows();
  await until(() => countRows() > before + 3);
  for (const port of ports) {
    const { status } = await fetch(`http://127.0.0.1:${port}/nothing`);
    assert.ok([404, 401].includes(status), `${port}: ${status}`);
  }
}

test('the agent continues to measure and answers other clients with 1,000 idle connections', async (t) => {
  const { ports, countRows, agent } = await startServing(t);
  const all = Object.values(ports);
  const sockets = all.flatMap((port) => openConnections(t, port, 250));
  await until(
    () => sockets.filter(({ closed, readyState }) => closed || readyState === 'open').length === 1000,
  );
  await goesOn(countRows, all);
  // Each server keeps a limited number of them open.
  await until(() => sockets.filter(({ closed }) => closed).length > 500);
  assert.equal((await agent.stop()).code, 0);
});

test('the agent ends connections whose requests arrive a byte at a time, and continues to measure', async (t) => {
  const { ports, countRows, agent } = await startServing(t);
  const all = Object.values(ports);
  const sockets = all.flatMap((port) => openConnections(t, port, 20));
  for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
  const timer = setInterval(() => {
    for (const socket of sockets) if (!socket.destroyed) socket.write('X');
  }, 100);
  t.after(() => clearInterval(timer));
  await goesOn(countRows, all);
  await until(() => sockets.every(({ closed }) => closed));
  assert.equal((await agent.stop()).code, 0);
});

test('the agent answers a limited number of pipelined requests, and continues to measure', async (t) => {
  const { ports, countRows, agent } = await startServing(t);
  const all = Object.values(ports);
  const sockets = all.flatMap((port) => openConnections(t, port, 5));
  let answers = 0;
  for (const socket of sockets) {
    socket.on('data', (bytes) => (answers += bytes.toString('latin1').split('HTTP/1.1 ').length - 1));
    socket.write('GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(5000));
  }
  await goesOn(countRows, all);
  await until(() => sockets.every(({ closed }) => closed));
  // Answers in flight when a connection was closed may not arrive.
  assert.ok(answers <= 110 * sockets.length, `${answers} answers`);
  assert.equal((await agent.stop()).code, 0);
});

test('the agent refuses headers and targets that are too large, and continues to measure', async (t) => {
  const { ports, countRows, agent } = await startServing(t);
  const all = Object.values(ports);
  const large = 'x'.repeat(1_000_000);
  const requests = [
    `GET /${large} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: ${large}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: localhost\r\n${'X-Many: 1\r\n'.repeat(50_000)}\r\n`,
    `${large}\r\n\r\n`,
  ];
  for (const port of all) {
    for (const request of requests) {
      const socket = elementAt(openConnections(t, port, 1), 0);
      let answer = '';
      socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
      socket.write(request);
      await until(() => socket.closed);
      assert.ok(!answer.startsWith('HTTP/1.1 200'), answer.slice(0, 100));
    }
  }
  await goesOn(countRows, all);
  assert.equal((await agent.stop()).code, 0);
});
