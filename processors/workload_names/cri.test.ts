import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  Server,
  ServerCredentials,
  status,
  type handleUnaryCall,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { containerId, resourcesOf, rowOf, runProcessor, seriesOf } from './names.fixture.js';

/** A message: fields by number, each a string or a list of messages. */
type Fields = Readonly<Record<number, string | readonly Fields[]>>;

/** The bytes of a message, by an independent encoder. */
function encode(fields: Fields): Buffer {
  const parts = Object.entries(fields).flatMap(([number, value]) => {
    const values = typeof value === 'string' ? [Buffer.from(value)] : value.map(encode);
    return values.map((bytes) =>
      Buffer.concat([varint(8 * Number(number) + 2), varint(bytes.length), bytes]),
    );
  });
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  return value < 128 ? Buffer.of(value) : Buffer.concat([Buffer.of((value % 128) | 128), varint(value >> 7)]);
}

function mapOf(entries: Readonly<Record<string, string>>): readonly Fields[] {
  return Object.entries(entries).map(([key, value]) => ({ 1: key, 2: value }));
}

const same = (bytes: Buffer) => bytes;

type Answer = Buffer | { readonly code: status; readonly details: string } | undefined;

const methods = ['ListContainers', 'ListPodSandbox', 'ContainerStatus'] as const;

type Answers = Partial<Record<(typeof methods)[number], (request: Buffer) => Answer>>;

/** A container runtime on a temporary socket; a method without an answer does not exist. */
async function openRuntime(t: TestContext, answers: Answers, socket = join(createFolder(), 'cri.sock')) {
  const calls: { readonly method: string; readonly request: Buffer }[] = [];
  const served = methods.filter((method) => answers[method]);
  const service: ServiceDefinition = Object.fromEntries(
    served.map((method) => [
      method,
      {
        path: `/runtime.v1.RuntimeService/${method}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      },
    ]),
  );
  const handlers = served.map((method): [string, handleUnaryCall<Buffer, Buffer>] => [
    method,
    ({ request }, respond) => {
      calls.push({ method, request });
      const answer = answers[method]?.(request);
      if (Buffer.isBuffer(answer)) respond(null, answer);
      else if (answer) respond(answer);
    },
  ]);
  const server = new Server();
  server.addService(service, Object.fromEntries(handlers));
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
  const close = () => server.forceShutdown();
  t.after(close);
  return { socket, calls, close };
}

function run(t: TestContext, socket: string, settings: object = {}) {
  return runProcessor(t, { sources: ['cri'], cri: { sockets: [socket] }, max_wait: '60s', ...settings });
}

const uid = '11111111-2222-3333-4444-555555555555';

function containerOf(id: string, image: Fields): Fields {
  return {
    1: id,
    2: containerId(100),
    3: [{ 1: 'app' }],
    4: [image],
    8: mapOf({ 'io.kubernetes.container.name': 'app', team: 'a' }),
  };
}

const sandbox: Fields = {
  1: containerId(100),
  2: [{ 1: 'web-0', 2: uid, 3: 'shop' }],
  5: mapOf({ team: 'b' }),
  6: mapOf({ note: 'c', other: 'd' }),
};

const resource = {
  'container.id': containerId(1),
  'container.runtime.name': 'containerd',
  'k8s.pod.uid': uid,
};

test('workload_names names a container and its pod through the CRI', async (t) => {
  const { socket, calls } = await openRuntime(t, {
    ListContainers: () =>
      encode({ 1: [containerOf(containerId(1), { 1: 'sha256:0', 18: 'quay.io/web:2' })] }),
    ListPodSandbox: () => encode({ 1: [sandbox] }),
  });
  const { name } = run(t, socket, { labels: ['team'], annotations: ['note'] });
  assert.deepEqual(await name(resource), {
    'container.name': 'app',
    'k8s.container.name': 'app',
    'container.image.name': 'quay.io/web',
    'container.image.tags': '2',
    'container.label.team': 'a',
    'k8s.pod.name': 'web-0',
    'k8s.namespace.name': 'shop',
    'k8s.pod.label.team': 'b',
    'k8s.pod.annotation.note': 'c',
  });
  // One container, one pod: the lists are filtered.
  assert.deepEqual(calls, [
    { method: 'ListContainers', request: encode({ 1: [{ 1: containerId(1) }] }) },
    { method: 'ListPodSandbox', request: encode({ 1: [{ 3: mapOf({ 'io.kubernetes.pod.uid': uid }) }] }) },
  ]);
});

test('workload_names requests the status of a container if the list has only the digest of its image', async (t) => {
  const { socket } = await openRuntime(t, {
    ListContainers: () => encode({ 1: [containerOf(containerId(1), { 1: `sha256:${'0'.repeat(64)}` })] }),
    ListPodSandbox: () => encode({ 1: [sandbox] }),
    ContainerStatus: (request) =>
      request.equals(encode({ 1: containerId(1) }))
        ? encode({ 1: [{ 1: containerId(1), 8: [{ 1: 'docker.io/library/web:3' }] }] })
        : { code: status.NOT_FOUND, details: 'no such container' },
  });
  const { name } = run(t, socket);
  assert.equal((await name(resource))['container.image.name'], 'docker.io/library/web');
});

test('workload_names keeps the name of a container that vanishes before its status is requested', async (t) => {
  const { socket } = await openRuntime(t, {
    ListContainers: () => encode({ 1: [containerOf(containerId(1), { 1: 'a'.repeat(64) })] }),
    ListPodSandbox: () => encode({ 1: [sandbox] }),
    ContainerStatus: () => ({ code: status.NOT_FOUND, details: 'no such container' }),
  });
  const { name, log } = run(t, socket);
  const names = await name(resource);
  assert.deepEqual([names['container.name'], names['container.image.name']], ['app', undefined]);
  assert.ok(log.lines.every((line) => !line.startsWith('warn')));
});

test('workload_names names the pod of its sandbox container, which is in no list of containers', async (t) => {
  const { socket, calls } = await openRuntime(t, {
    ListContainers: () => encode({}),
    ListPodSandbox: () => encode({ 1: [sandbox] }),
  });
  const { name } = run(t, socket);
  assert.deepEqual(await name({ 'container.id': containerId(100), 'k8s.pod.uid': uid }), {
    'k8s.pod.name': 'web-0',
    'k8s.namespace.name': 'shop',
  });
  assert.equal(calls.length, 2);
});

test('workload_names retries a pod whose cgroup exists before the runtime lists it', async (t) => {
  let isListed = false;
  const { socket, calls } = await openRuntime(t, {
    ListPodSandbox: () => encode(isListed ? { 1: [sandbox] } : {}),
  });
  const { name } = run(t, socket);
  const named = name({ 'k8s.pod.uid': uid });
  await until(() => calls.length > 0);
  isListed = true;
  assert.equal((await named)['k8s.pod.name'], 'web-0');
});

test('workload_names names a thousand containers of a runtime with one list', async (t) => {
  const ids = Array.from({ length: 1000 }, (_, i) => containerId(i));
  const { socket, calls } = await openRuntime(t, {
    ListContainers: () => encode({ 1: ids.map((id) => containerOf(id, { 1: 'web:1' })) }),
    ListPodSandbox: () => encode({ 1: [sandbox] }),
  });
  const { processor, next } = run(t, socket);
  processor.consume(rowOf(...ids.map((id) => seriesOf({ 'container.id': id, 'k8s.pod.uid': uid }))));
  await until(() => next.tables.length > 0);
  assert.ok(resourcesOf(next.tables[0]).every((attributes) => attributes['container.name'] === 'app'));
  assert.equal(calls.length, 2);
});

for (const [what, answers, cause] of [
  ['does not answer', { ListPodSandbox: () => undefined }, 'expected an answer within 1000 ms, found none'],
  ['refuses', { ListPodSandbox: () => ({ code: status.PERMISSION_DENIED, details: 'not you' }) }, 'not you'],
  [
    'answers with garbage',
    { ListPodSandbox: () => Buffer.from('garbage') },
    'Cannot read a message: expected ',
  ],
  [
    'has no CRI',
    { ListContainers: () => undefined },
    'expected the CRI at this socket, found another service; enable the plugin "cri"',
  ],
] as const) {
  test(`workload_names logs one line and forwards without names if the runtime ${what}`, async (t) => {
    const { socket } = await openRuntime(t, answers);
    const { name, log } = run(t, socket, { max_wait: '500ms' });
    assert.deepEqual(await name({ 'k8s.pod.uid': uid }), {});
    await until(() => log.lines.length > 1);
    assert.deepEqual(await name({ 'k8s.pod.uid': 'other' }), {});
    assert.ok(log.lines[1].startsWith(`warn: Cannot get names from CRI (${socket}): ${cause}`), log.lines[1]);
    assert.equal(log.lines.length, 2);
  });
}

test('workload_names logs that the socket of a runtime is missing, and uses it once it exists', async (t) => {
  const socket = join(createFolder(), 'cri.sock');
  const { name, log } = run(t, socket, { max_wait: '500ms' });
  assert.deepEqual(await name({ 'k8s.pod.uid': 'early' }), {});
  assert.match(
    log.lines[1],
    /ENOENT, the socket does not exist; start the runtime, or set the path of its socket/,
  );
  await openRuntime(t, { ListPodSandbox: () => encode({ 1: [sandbox] }) }, socket);
  assert.equal((await name({ 'k8s.pod.uid': uid }))['k8s.pod.name'], 'web-0');
});
