import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { AgentControl, ComponentStatus } from '../../src/component/agent-control.js';
import { createFakeAgent, createFakeContext, createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';

const since = new Date('2026-11-28T12:00:00Z');

function component(kind: ComponentStatus['kind'], id: string): ComponentStatus {
  const pipelines = kind === 'extension' ? [] : ['metrics'];
  return { kind, id, pipelines, state: 'running', since, acceptedPoints: 3, refusedPoints: 1 };
}

const components = [
  component('exporter', 'file'),
  component('processor', 'filter'),
  { ...component('receiver', 'rapl'), intervalsMs: { sampling_interval: 0.5 } },
  { ...component('receiver', 'otlp'), lastError: { message: 'no luck', at: since } },
  component('extension', 'control'),
];

/** An agent that notes what it is asked to do. */
function createAgent(calls: string[], overrides: Partial<AgentControl> = {}): AgentControl {
  const note =
    (verb: string) =>
    (...args: unknown[]) => {
      calls.push([verb, ...args].join(' ').trim());
      return Promise.resolve();
    };
  return createFakeAgent({
    listComponents: () => components,
    pause: note('pause'),
    resume: note('resume'),
    setInterval: note('set'),
    trigger: note('trigger'),
    stop: note('stop'),
    flush: note('flush'),
    shutdown: () => void calls.push('shutdown'),
    ...overrides,
  });
}

async function start(t: TestContext, settings: object = {}, overrides: Partial<AgentControl> = {}) {
  const log = createLogCollector();
  const calls: string[] = [];
  const path = join(createFolder(), 'control.sock');
  const { socket = {}, ...rest } = settings as { readonly socket?: object };
  const config = parseSettings(factory.schema, { socket: { path, ...socket }, ...rest });
  const agent = createAgent(calls, overrides);
  const extension = factory.create(config, { ...createFakeContext({ log }), isReady: () => true, agent });
  t.after(() => extension.shutdown());
  await extension.start();
  const ask = (url: string, body?: string) => send({ socketPath: path, path: url }, body);
  return { extension, ask, calls, path, log };
}

/** @returns the status, and the JSON or the text of the answer */
function send(options: object, body?: string): Promise<readonly [number | undefined, unknown]> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const request = httpRequest({ ...options, method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.once('end', () => {
        const isJson = response.headers['content-type'] === 'application/json';
        resolve([response.statusCode, isJson ? (JSON.parse(text) as unknown) : text]);
      });
    });
    request.once('error', reject).end(body);
  });
}

test('Control lists every component with what is known of it', async (t) => {
  const { ask } = await start(t);
  const [status, body] = await ask('/-/components');
  const { components: listed, ready } = body as {
    readonly components: readonly Record<string, unknown>[];
    readonly ready: boolean;
  };
  assert.deepEqual([status, ready, listed.length], [200, true, 5]);
  assert.deepEqual(listed[2], {
    name: 'receiver:rapl',
    kind: 'receiver',
    id: 'rapl',
    pipelines: ['metrics'],
    state: 'running',
    since: '2026-11-28T12:00:00.000Z',
    intervals: { sampling_interval: '500us' },
    accepted_points: 3,
    refused_points: 1,
    points_per_second: null,
    last_error: null,
  });
  assert.deepEqual(listed[3]?.['last_error'], { message: 'no luck', at: '2026-11-28T12:00:00.000Z' });
});

const order = (...names: readonly string[]) => JSON.stringify({ components: names });

const done = (...names: readonly string[]) => ({
  results: names.map((name) => ({ component: name, done: true })),
});

test('Control does with components what is asked, by id, kind and pattern', async (t) => {
  const { ask, calls, log } = await start(t);
  assert.deepEqual(await ask('/-/pause', order('rapl', 'receiver:rapl')), [200, done('receiver:rapl')]);
  assert.deepEqual(await ask('/-/resume', order('receiver:*')), [
    200,
    done('receiver:rapl', 'receiver:otlp'),
  ]);
  assert.deepEqual(await ask('/-/stop', order('*')), [
    200,
    done('exporter:file', 'receiver:rapl', 'receiver:otlp'),
  ]);
  assert.deepEqual(await ask('/-/trigger', order('ra*')), [200, done('receiver:rapl')]);
  assert.deepEqual(await ask('/-/pause', order('file')), [200, done('exporter:file')]);
  const body = JSON.stringify({ components: ['rapl'], interval: '1m30s', setting: 'sampling_interval' });
  assert.deepEqual(await ask('/-/set-interval', body), [200, done('receiver:rapl')]);
  assert.deepEqual(calls, [
    'pause receiver:rapl',
    'resume receiver:rapl',
    'resume receiver:otlp',
    'stop exporter:file',
    'stop receiver:rapl',
    'stop receiver:otlp',
    'trigger receiver:rapl',
    'pause exporter:file',
    'set receiver:rapl 90000 sampling_interval',
  ]);
  assert.ok(log.lines.includes('info: Asked to pause rapl, receiver:rapl'));
});

test('Control means no receiver that is left out by a pattern, but by its name', async (t) => {
  const disabled: ComponentStatus = { ...component('receiver', 'nvml'), state: 'disabled' };
  const { ask, calls } = await start(t, {}, { listComponents: () => [...components, disabled] });
  assert.deepEqual(await ask('/-/trigger', order('receiver:*')), [
    200,
    done('receiver:rapl', 'receiver:otlp'),
  ]);
  assert.deepEqual(await ask('/-/trigger', order('nvml')), [200, done('receiver:nvml')]);
  assert.deepEqual(calls, ['trigger receiver:rapl', 'trigger receiver:otlp', 'trigger receiver:nvml']);
});

test('Control flushes, reloads and ends the agent', async (t) => {
  const { ask, calls } = await start(t);
  assert.deepEqual(await ask('/-/flush', ''), [200, { done: true }]);
  assert.deepEqual(await ask('/-/reload', ''), [
    200,
    { outcome: 'unchanged', started: [], stopped: [], restarted: [] },
  ]);
  assert.deepEqual(await ask('/-/shutdown', ''), [200, { done: true }]);
  assert.deepEqual(calls, ['flush', 'shutdown']);
});

test('Control answers the reload by which it is stopped, while its successor listens already', async (t) => {
  const changed = {
    outcome: 'changed',
    started: [],
    stopped: [],
    restarted: ['extension "control"'],
  } as const;
  const steps: (() => void | Promise<void>)[] = [];
  const reload = async () => {
    for (const step of steps) await step();
    return changed;
  };
  const { extension, ask } = await start(t, {}, { reload });
  steps.push(
    () => extension.shutdown(),
    () => extension.start(),
  );
  assert.deepEqual(await ask('/-/reload', ''), [200, changed]);
  assert.equal((await ask('/-/components'))[0], 200);
});

test('Control answers a reload of which some settings need a restart with 409 and their names', async (t) => {
  const result = {
    outcome: 'changed',
    started: [],
    stopped: [],
    restarted: [],
    kept: ['Cannot change it'],
  } as const;
  const { ask } = await start(t, {}, { reload: () => Promise.resolve(result) });
  assert.deepEqual(await ask('/-/reload', ''), [409, result]);
});

test('Control answers a reload that was refused with 422 and the reason', async (t) => {
  const refused = { outcome: 'refused', started: [], stopped: [], restarted: [], problem: 'broken' } as const;
  const { ask } = await start(t, {}, { reload: () => Promise.resolve(refused) });
  assert.deepEqual(await ask('/-/reload', ''), [422, refused]);
});

function pauseAllButOtlp(name: string): Promise<void> {
  return name === 'receiver:otlp' ? Promise.reject(new Error('no interval')) : Promise.resolve();
}

test('Control reports which of several could not be done, and why', async (t) => {
  const { ask } = await start(t, {}, { pause: pauseAllButOtlp });
  assert.deepEqual(await ask('/-/pause', '{"components":["receiver:*"]}'), [
    409,
    {
      results: [
        { component: 'receiver:rapl', done: true },
        { component: 'receiver:otlp', done: false, error: 'no interval' },
      ],
    },
  ]);
});

const mistakes = [
  ['/-/pause', '', 400, /expected a JSON object/u],
  ['/-/pause', '[', 400, /expected a JSON object/u],
  ['/-/pause', '{}', 400, /expected "components", a list of names/u],
  ['/-/pause', `{"components":["${'x'.repeat(70_000)}"]}`, 413, /at most 65536 bytes/u],
  [
    '/-/pause',
    '{"components":["nothing"]}',
    404,
    /^Cannot find "nothing": expected a component .*receiver:rapl/u,
  ],
  ['/-/trigger', '{"components":["exporter:file"]}', 404, /\(receiver:rapl, receiver:otlp\)/u],
  ['/-/set-interval', '{"components":["rapl"]}', 400, /expected "interval", such as "500ms", found none/u],
  ['/-/set-interval', '{"components":["rapl"],"interval":"soon"}', 400, /such as "500ms", found "soon"/u],
] as const;

for (const [path, body, expected, message] of mistakes) {
  test(`Control answers ${path} with ${body.slice(0, 60)} with ${expected}`, async (t) => {
    const { ask, calls } = await start(t);
    const [status, answer] = await ask(path, body);
    assert.equal(status, expected);
    assert.match((answer as { readonly error: string }).error, message);
    assert.deepEqual(calls, []);
  });
}

test('Control changes nothing at a GET', async (t) => {
  const { ask, calls } = await start(t);
  assert.equal((await ask('/-/shutdown'))[0], 405);
  assert.deepEqual(calls, []);
});

test('Control lets only those use its socket that its settings say', async (t) => {
  const narrow = await start(t);
  assert.equal(statSync(narrow.path).mode & 0o777, 0o600);
  const group = process.getegid?.() ?? 0;
  const wide = await start(t, { socket: { mode: '0660', group: String(group) } });
  const { mode, gid } = statSync(wide.path);
  assert.deepEqual([mode & 0o777, gid], [0o660, group]);
  await assert.rejects(start(t, { socket: { group: 'joulemetry-no-such-group' } }), {
    message:
      'Cannot use extensions.test.socket.group: expected a group in /etc/group, found none of the name "joulemetry-no-such-group"',
  });
});

test('Control replaces a socket that was left behind, and refuses one at which an agent answers', async (t) => {
  const { path, extension } = await start(t);
  await assert.rejects(start(t, { socket: { path } }), {
    message: `Cannot listen on ${path} (extensions.test.socket.path): expected no other agent there, found one that answers`,
  });
  await extension.shutdown();
  await extension.shutdown();
  assert.equal(statSync(path, { throwIfNoEntry: false }), undefined);
  const left = join(createFolder(), 'left.sock');
  leaveSocket(left);
  assert.ok(statSync(left).isSocket());
  await start(t, { socket: { path: left } });
  assert.equal((await send({ socketPath: left, path: '/-/components' }))[0], 200);
});

/** What a process leaves that was killed. */
function leaveSocket(path: string): void {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  assert.throws(() => execFileSync(process.execPath, ['-e', script]));
}

test('Control leaves what is no socket as it is, and names a folder that is missing', async (t) => {
  const path = join(createFolder(), 'text');
  writeFileSync(path, 'text');
  await assert.rejects(start(t, { socket: { path } }), /expected nothing or a socket, found a file/u);
  assert.equal(readFileSync(path, 'utf8'), 'text');
  await assert.rejects(
    start(t, { socket: { path: '/nowhere/control.sock' } }),
    /expected a folder \/nowhere, found none/u,
  );
});

test('Control answers over HTTP to those with the token only, and follows its file', async (t) => {
  const file = join(createFolder(), 'token');
  const http = { endpoint: 'localhost:0', token_file: file };
  const { log, calls } = await start(t, { http });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const token = readFileSync(file, 'utf8').trim();
  assert.ok(token.length > 40);
  const port = Number(/:(\d+), with/u.exec(log.lines.join())?.[1]);
  const ask = (authorization?: string, host = 'localhost') =>
    send({ port, path: '/-/components', headers: { host, ...(authorization && { authorization }) } });
  assert.equal((await ask(`Bearer ${token}`))[0], 200);
  for (const wrong of [undefined, 'Bearer', `Bearer ${token}x`, `Basic ${token}`, `Bearer ${token.slice(1)}`])
    assert.equal((await ask(wrong))[0], 401);
  assert.equal((await ask(`Bearer ${token}`, 'evil.example.com'))[0], 403);
  writeFileSync(file, 'another-token-of-32-characters--\n');
  assert.equal((await ask(`Bearer ${token}`))[0], 401);
  assert.equal((await ask('Bearer another-token-of-32-characters--'))[0], 200);
  writeFileSync(file, 'short\n');
  assert.equal((await ask('Bearer short'))[0], 401);
  assert.equal((await ask('Bearer another-token-of-32-characters--'))[0], 200);
  assert.deepEqual(calls, []);
});

test('Control does not start with a token that cannot be used', async (t) => {
  const file = join(createFolder(), 'token');
  writeFileSync(file, 'secret\n');
  chmodSync(file, 0o600);
  await assert.rejects(start(t, { http: { endpoint: 'localhost:0', token_file: file } }), {
    message: `Cannot use extensions.test.http.token_file "${file}": expected at least 16 characters without spaces, found 6`,
  });
});

test('factory.check wants octal permissions and a token file', () => {
  assert.deepEqual(factory.check?.(parseSettings(factory.schema, { socket: { mode: 'rw' } })), [
    'socket.mode: expected octal permissions such as "0660", found "rw"',
  ]);
  assert.deepEqual(factory.check?.(parseSettings(factory.schema, { http: { endpoint: ':1' } })), [
    'http.token_file: expected a file with the token that requests must have, found none',
  ]);
});
