import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { askedIds, json, openEngine, run, web } from './engine.fixture.js';
import { containerId, resourcesOf, rowOf, seriesOf } from './names.fixture.js';

test('workload_names forwards in time if the engine never answers, and pauses its requests', async (t) => {
  const { socket, urls } = await openEngine(t, () => undefined);
  const { processor, next, log } = run(t, socket, { max_wait: '50ms' });
  processor.consume(rowOf(seriesOf({ 'container.id': containerId(1) })));
  await until(() => next.tables.length === 1 && log.lines.length === 2);
  assert.equal(
    log.lines[1],
    `warn: Cannot get names from Docker (${socket}): expected an answer within 100 ms, found none; continuing without these names, trying again`,
  );
  processor.consume(rowOf(seriesOf({ 'container.id': containerId(2) })));
  // It is not held for a source that has just failed.
  await until(() => next.tables.length === 2);
  assert.equal(urls.length, 1);
});

for (const [what, answer, cause] of [
  [
    'an error',
    (response: ServerResponse) => json(response.writeHead(500), { message: 'out of order' }),
    'HTTP 500 out of order',
  ],
  [
    'garbage',
    (response: ServerResponse) => void response.end('<html>'),
    'expected JSON, found something else',
  ],
  [
    'half a list',
    (response: ServerResponse) => void response.end('[{"Id":"a"'),
    'expected a whole JSON text, found no end',
  ],
] as const) {
  test(`workload_names logs one line and forwards without names if the engine answers with ${what}`, async (t) => {
    const { socket } = await openEngine(t, (_, response) => answer(response));
    const { processor, next, log } = run(t, socket, { max_wait: '100ms' });
    const series = [1, 2].map((number) => seriesOf({ 'container.id': containerId(number) }));
    for (const one of series) processor.consume(rowOf(one));
    await until(() => next.tables.length === 2);
    assert.deepEqual(
      next.tables.flatMap((table) => table.series),
      series,
    );
    assert.deepEqual(log.lines.slice(1), [
      `warn: Cannot get names from Docker (${socket}): ${cause}; continuing without these names, trying again`,
    ]);
  });
}

test('workload_names logs that the socket is missing, and uses it once it exists', async (t) => {
  const socket = join(createFolder(), 'docker.sock');
  const { processor, next, log } = run(t, socket, { max_wait: '100ms' });
  processor.consume(rowOf(seriesOf({ 'container.id': containerId(2) })));
  await until(() => next.tables.length === 1);
  assert.deepEqual(log.lines, [
    `info: Looking up names in Docker (${socket})`,
    `warn: Cannot get names from Docker (${socket}): ENOENT, the socket does not exist; start the runtime, or set the path of its socket; continuing without these names, trying again`,
  ]);
  await openEngine(t, (_, response) => json(response, [web]), socket);
  processor.consume(rowOf(seriesOf({ 'container.id': web.Id })));
  await until(() => next.tables.length === 2);
  assert.equal(resourcesOf(next.tables[1])[0]?.['container.name'], 'web');
  assert.equal(log.lines[2], `info: Recovered, getting names from Docker (${socket})`);
});

test('workload_names reports that no process listens if the engine has left its socket behind', async (t) => {
  const socket = join(createFolder(), 'docker.sock');
  const engine = await openEngine(t, (_, response) => json(response, []), `${socket}.old`);
  await engine.close();
  writeFileSync(socket, '');
  t.after(() => rmSync(socket, { force: true }));
  const { processor, next, log } = run(t, socket, { max_wait: '100ms' });
  processor.consume(rowOf(seriesOf({ 'container.id': web.Id })));
  await until(() => next.tables.length === 1);
  assert.match(log.lines[1], /ECONNREFUSED, no process listens at the socket; start the runtime/);
});

test('workload_names retries after a pause when the engine has recovered, and logs that once', async (t) => {
  let isBroken = true;
  const { socket, urls } = await openEngine(t, (url, response) =>
    isBroken
      ? json(response.writeHead(503), { message: 'starting' })
      : json(
          response,
          askedIds(url).map((Id) => ({ Id, Names: ['/web'], Image: 'web' })),
        ),
  );
  const { name, log } = run(t, socket, { max_wait: '100ms' });
  let count = 0;
  /** The name of a new container. */
  const nameNext = async () => (await name({ 'container.id': containerId(++count) }))['container.name'];
  assert.equal(await nameNext(), undefined);
  isBroken = false;
  await until(async () => (await nameNext()) === 'web');
  assert.equal(await nameNext(), 'web');
  // No requests are sent in the pause.
  assert.ok(urls.length <= count);
  assert.deepEqual(
    log.lines.slice(1).map((line) => line.split(':')[0]),
    ['warn', 'info'],
  );
});

test('workload_names retries a container if the engine does not answer at first', async (t) => {
  let left = 3;
  const { socket, urls } = await openEngine(t, (_, response) => {
    if (left-- > 0) json(response.writeHead(503), { message: 'starting' });
    else json(response, [web]);
  });
  const { name, log } = run(t, socket);
  assert.equal((await name({ 'container.id': web.Id }))['container.name'], 'web');
  assert.equal(urls.length, 4);
  assert.deepEqual(
    log.lines.slice(1).map((line) => line.split(':')[0]),
    ['warn', 'info'],
  );
});

/** A Docker API in a separate thread, which indicates a request by the first number. */
const engineThread = `
  const { createServer } = require('node:http');
  const { parentPort, workerData: { socket, answer, flags } } = require('node:worker_threads');
  createServer((request, response) => {
    Atomics.store(flags, 0, 1);
    setTimeout(() => response.end(answer), 20);
  }).listen(socket, () => parentPort.postMessage('listening'));
`;

test('workload_names uses an answer that arrived in time even if the thread was busy until later', async (t) => {
  const socket = join(createFolder(), 'docker.sock');
  const flags = new Int32Array(new SharedArrayBuffer(8));
  const workerData = { socket, answer: JSON.stringify([web]), flags };
  const thread = new Worker(engineThread, { eval: true, workerData });
  t.after(() => thread.terminate());
  await once(thread, 'message');
  const { processor, next } = run(t, socket, { max_wait: '4s' });
  processor.consume(rowOf(seriesOf({ 'container.id': web.Id })));
  while (Atomics.load(flags, 0) === 0) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  Atomics.wait(flags, 1, 0, 4100);
  await until(() => next.tables.length === 1);
  assert.equal(resourcesOf(next.tables[0])[0]['container.name'], 'web');
});
