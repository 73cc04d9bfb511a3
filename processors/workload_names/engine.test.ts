import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { ReceiverContext } from '../../src/component/component.js';
import { createMeterReader } from '../../src/component/fakes.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { Engine } from './engine.js';
import { containerId, resourcesOf, rowOf, runProcessor, seriesOf } from './names.fixture.js';

type Answer = (url: URL, response: ServerResponse, request: IncomingMessage) => void;

/** A Docker API on a socket of its own. */
async function openEngine(t: TestContext, answer: Answer, socket = join(createFolder(), 'docker.sock')) {
  const urls: URL[] = [];
  const open = { now: 0, most: 0 };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://engine');
    urls.push(url);
    open.most = Math.max(open.most, ++open.now);
    response.once('close', () => (open.now -= 1));
    answer(url, response, request);
  });
  server.listen(socket);
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    server.close();
    if (server.listening) await once(server, 'close');
  };
  t.after(close);
  return { socket, urls, open, close };
}

/** The containers that a list was asked for. */
function askedIds(url: URL): readonly string[] {
  const { id } = JSON.parse(url.searchParams.get('filters') ?? '{}') as { readonly id: readonly string[] };
  return id;
}

const json = (response: ServerResponse, value: unknown) => void response.end(JSON.stringify(value));

function run(t: TestContext, socket: string, settings: object = {}, context: Partial<ReceiverContext> = {}) {
  const docker = { sources: ['docker'], docker: { sockets: [socket] }, max_wait: '60s' };
  return runProcessor(t, { ...docker, ...settings }, context);
}

const web = {
  Id: containerId(1),
  Names: ['/web'],
  Image: 'registry:5000/team/web:1.2',
  Labels: { team: 'a', x: 'y' },
};

test('workload_names names a container, its image and chosen labels by the Docker API', async (t) => {
  const { socket, urls } = await openEngine(t, (_, response) => json(response, [web]));
  const { processor, next } = run(t, socket, { labels: ['team', 'absent'] });
  processor.consume(rowOf(seriesOf({ 'container.id': web.Id, 'container.runtime.name': 'docker' })));
  await until(() => next.tables.length > 0);
  assert.deepEqual(resourcesOf(next.tables[0]), [
    {
      'container.id': web.Id,
      'container.runtime.name': 'docker',
      'container.name': 'web',
      'container.image.name': 'registry:5000/team/web',
      'container.image.tags': '1.2',
      'container.label.team': 'a',
    },
  ]);
  assert.deepEqual(
    urls.map(({ pathname }) => pathname),
    ['/containers/json'],
  );
  assert.deepEqual(askedIds(urls[0]), [web.Id]);
});

test('workload_names asks for the image of a container, when its tag has moved', async (t) => {
  const { socket } = await openEngine(t, ({ pathname }, response) =>
    pathname === '/containers/json'
      ? json(response, [{ ...web, Image: `sha256:${'0'.repeat(64)}` }])
      : json(response, { Config: { Image: 'web@sha256:0' } }),
  );
  const { processor, next } = run(t, socket);
  processor.consume(rowOf(seriesOf({ 'container.id': web.Id })));
  await until(() => next.tables.length > 0);
  assert.equal(resourcesOf(next.tables[0])[0]?.['container.image.name'], 'web');
});

test('workload_names keeps the name of a container that vanishes before its image is asked for', async (t) => {
  const { socket } = await openEngine(t, ({ pathname }, response) => {
    if (pathname === '/containers/json') return json(response, [{ ...web, Image: 'abcdefabcdef' }]);
    response.statusCode = 404;
    json(response, { message: 'No such container' });
  });
  const { processor, next, log } = run(t, socket);
  processor.consume(rowOf(seriesOf({ 'container.id': web.Id })));
  await until(() => next.tables.length > 0);
  assert.deepEqual(resourcesOf(next.tables[0]), [{ 'container.id': web.Id, 'container.name': 'web' }]);
  assert.ok(log.lines.every((line) => !line.startsWith('warn')));
});

test('workload_names forwards without names, when the engine knows no such container', async (t) => {
  const { socket, urls } = await openEngine(t, (_, response) => json(response, []));
  const { processor, next } = run(t, socket);
  const series = seriesOf({ 'container.id': web.Id });
  processor.consume(rowOf(series));
  await until(() => next.tables.length > 0);
  assert.equal(next.tables[0].series[0], series);
  assert.equal(urls.length, 1);
});

test('workload_names names a thousand containers at once, by one request at a time', async (t) => {
  const { socket, urls, open } = await openEngine(t, (url, response) =>
    json(
      response,
      askedIds(url).map((Id) => ({ Id, Names: [`/name-${Id.slice(-3)}`], Image: 'web' })),
    ),
  );
  const { processor, next } = run(t, socket, { max_wait: '60s' });
  const series = Array.from({ length: 1000 }, (_, i) => seriesOf({ 'container.id': containerId(i) }));
  processor.consume(rowOf(...series));
  await until(() => next.tables.length > 0);
  const names = resourcesOf(next.tables[0]).map((attributes) => attributes['container.name']);
  assert.deepEqual(new Set(names).size, 1000);
  assert.deepEqual([urls.length, open.most], [10, 1]);
});

test('workload_names forwards in time, when the engine never answers, and asks no more for a while', async (t) => {
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
  test(`workload_names logs one line and forwards without names, when the engine answers with ${what}`, async (t) => {
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

test('workload_names logs that the socket is missing, and uses it once it is there', async (t) => {
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

test('workload_names says that no process listens, when the engine has left its socket behind', async (t) => {
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

test('workload_names leaves containers of Kubernetes runtimes to other sources', async (t) => {
  const { socket, urls } = await openEngine(t, (_, response) => json(response, [web]));
  const { processor, next } = run(t, socket);
  processor.consume(rowOf(seriesOf({ 'container.id': web.Id, 'container.runtime.name': 'containerd' })));
  await until(() => next.tables.length === 1);
  assert.equal(urls.length, 0);
});

test('workload_names asks again after a pause, when the engine has recovered, and logs that once', async (t) => {
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
  /** The name of a container that was not there before. */
  const nameNext = async () => (await name({ 'container.id': containerId(++count) }))['container.name'];
  assert.equal(await nameNext(), undefined);
  isBroken = false;
  await until(async () => (await nameNext()) === 'web');
  assert.equal(await nameNext(), 'web');
  // In the pause it is not asked.
  assert.ok(urls.length <= count);
  assert.deepEqual(
    log.lines.slice(1).map((line) => line.split(':')[0]),
    ['warn', 'info'],
  );
});

test('workload_names asks again for a container, when the engine does not answer at first', async (t) => {
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

test("workload_names takes names from a user's engine for containers in the slice of that user only", () => {
  const options = { product: 'Docker', socket: '/run/user/1000/docker.sock', labels: [], timeoutMs: 1 };
  const pathOf = (uid: number) =>
    `/user.slice/user-${uid}.slice/user@${uid}.service/app.slice/docker-${web.Id}.scope`;
  const cgroups = [
    { 'linux.cgroup.path': pathOf(1000) },
    { 'process.linux.cgroup': `0::${pathOf(1000)}` },
    { 'process.linux.cgroup': `0::/../..${pathOf(1000)}` },
    { 'linux.cgroup.path': pathOf(1001) },
    { 'linux.cgroup.path': `/user.slice/user-1001.slice${pathOf(1000)}` },
    { 'linux.cgroup.path': `/system.slice/docker-${web.Id}.scope` },
    {},
  ];
  const covered = (ownerUid: string | undefined) => {
    const engine = new Engine({ ...options, ownerUid });
    return cgroups.map((resource) =>
      engine.covers({ key: '', attribute: 'container.id', id: web.Id, resource }),
    );
  };
  assert.deepEqual(covered('1000'), [true, true, true, false, false, false, false]);
  assert.ok(covered(undefined).every(Boolean));
});

test('workload_names counts on own telemetry what became of ids', async (t) => {
  const { socket } = await openEngine(t, (url, response) =>
    json(
      response,
      askedIds(url)
        .filter((id) => id !== containerId(3))
        .map((Id) => ({ Id, Names: ['/web'], Image: 'web' })),
    ),
  );
  const telemetry = createMeterReader();
  const { processor, next } = run(t, socket, {}, { meter: telemetry.meter });
  const ids = [1, 2, 3].map((number) => ({ 'container.id': containerId(number) }));
  processor.consume(rowOf(...[...ids, { 'k8s.pod.uid': 'u' }].map((attributes) => seriesOf(attributes))));
  await until(() => next.tables.length > 0);
  const counted = await telemetry.read();
  const countOf = (outcome: string) => counted[`joulemetry.workload_names.ids{test,${outcome}}`];
  assert.deepEqual(['named', 'unknown', 'unanswered'].map(countOf), [2, 1, 1]);
});

/** A Docker API in a thread of its own, which shows by the first number that it was asked. */
const engineThread = `
  const { createServer } = require('node:http');
  const { parentPort, workerData: { socket, answer, flags } } = require('node:worker_threads');
  createServer((request, response) => {
    Atomics.store(flags, 0, 1);
    setTimeout(() => response.end(answer), 20);
  }).listen(socket, () => parentPort.postMessage('listening'));
`;

test('workload_names uses an answer that arrived in time, when the thread was busy until later', async (t) => {
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
