import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ComponentStatus } from '../../src/component/agent-control.js';
import { component, components, start } from './control.fixture.js';

test('Control lists every component with its state', async (t) => {
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

test('Control acts on the components that are named by id, kind and pattern', async (t) => {
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
  assert.ok(log.lines.includes('info: Received a request to pause rapl, receiver:rapl'));
});

test('Control selects a disabled receiver only by its name, not by a pattern', async (t) => {
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

test('Control answers the reload that stops it, while its successor is listening already', async (t) => {
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

test('Control answers a reload with 409 and the names of the settings that need a restart', async (t) => {
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

test('Control answers a refused reload with 422 and the reason', async (t) => {
  const refused = { outcome: 'refused', started: [], stopped: [], restarted: [], problem: 'broken' } as const;
  const { ask } = await start(t, {}, { reload: () => Promise.resolve(refused) });
  assert.deepEqual(await ask('/-/reload', ''), [422, refused]);
});

function pauseAllButOtlp(name: string): Promise<void> {
  return name === 'receiver:otlp' ? Promise.reject(new Error('no interval')) : Promise.resolve();
}

test('Control reports which of several components failed, and why', async (t) => {
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
    /^Cannot pause "nothing": expected a receiver, processor or exporter \(.*receiver:rapl.*found none of this name/u,
  ],
  [
    '/-/trigger',
    '{"components":["exporter:file"]}',
    404,
    /expected a receiver \(receiver:rapl, receiver:otlp\), found an exporter/u,
  ],
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

test('Control changes nothing on GET', async (t) => {
  const { ask, calls } = await start(t);
  assert.equal((await ask('/-/shutdown'))[0], 405);
  assert.deepEqual(calls, []);
});
