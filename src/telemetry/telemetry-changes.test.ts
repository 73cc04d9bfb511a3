import assert from 'node:assert/strict';
import { test } from 'node:test';
import { telemetrySchema } from '../config/service-schema.js';
import { parseSettings } from '../config/settings.js';
import { TelemetryChanges } from './telemetry-changes.js';

const pullAt = (port: number) => ({ pull: { exporter: { prometheus: { port } } } });
const push = { periodic: { interval: 1000, exporter: { otlp: { endpoint: 'localhost:1' } } } };
const parse = (settings: object) => parseSettings(telemetrySchema, settings);

/** The calls to log and server, and the results of changes. */
function createRig(first: object, { refused = 0 } = {}) {
  const calls: string[] = [];
  const changes = new TelemetryChanges(
    parse(first),
    {
      configure({ level, format }) {
        calls.push(`log ${level} ${format}`);
        return Promise.resolve();
      },
    },
    {
      move(pull) {
        calls.push(`move ${pull ? `${pull.host}:${pull.port}` : 'nowhere'}`);
        return pull && pull.port === refused ? Promise.reject(new Error('taken')) : Promise.resolve();
      },
    },
  );
  return { calls, apply: (next: object) => changes.apply(parse(next)) };
}

test('TelemetryChanges changes level and encoding of logs immediately, and once', async () => {
  const { calls, apply } = createRig({});
  const next = { logs: { level: 'debug', encoding: 'json' } };
  const settings = ['service.telemetry.logs.level', 'service.telemetry.logs.encoding'];
  assert.deepEqual(await apply(next), { settings, kept: [] });
  assert.deepEqual(await apply(next), { settings: [], kept: [] });
  assert.deepEqual(calls, ['log debug json']);
});

test('TelemetryChanges moves own metrics, and keeps the former address if the new one is in use', async () => {
  const { calls, apply } = createRig({}, { refused: 2 });
  const name = 'service.telemetry.metrics.readers[].pull';
  assert.deepEqual(await apply({ metrics: { readers: [pullAt(1)] } }), { settings: [name], kept: [] });
  const refusal = { settings: [], kept: [`Cannot change ${name}: taken; the former address stays`] };
  const taken = { metrics: { readers: [pullAt(2)] } };
  assert.deepEqual([await apply(taken), await apply(taken)], [refusal, refusal]);
  assert.deepEqual(await apply({ metrics: { readers: [pullAt(1)] } }), { settings: [], kept: [] });
  assert.deepEqual(await apply({}), { settings: [name], kept: [] });
  assert.deepEqual(calls, [
    'move localhost:1',
    'move localhost:2',
    'move localhost:2',
    'move localhost:8888',
  ]);
});

test('TelemetryChanges names each setting that needs a restart, at every reload', async () => {
  const { calls, apply } = createRig({});
  const next = {
    resource: { 'service.name': 'x' },
    metrics: { level: 'detailed', readers: [pullAt(1), push] },
  };
  const found = [await apply(next), await apply(next)];
  const names = found.map(({ kept }) =>
    kept.map((one) => /^Cannot change service\.telemetry\.(\S+)/u.exec(one)?.[1]),
  );
  const expected = ['metrics.level', 'metrics.readers[].periodic', 'resource'];
  assert.deepEqual(names, [expected, expected]);
  assert.match(found[0]?.kept[0] ?? '', /while the agent runs: .*; restart the agent$/u);
  assert.deepEqual(calls, ['move localhost:1']);
});

test('TelemetryChanges adds a first server and removes the last one', async () => {
  const name = 'service.telemetry.metrics.readers[].pull';
  const { calls, apply } = createRig({ metrics: { readers: [push] } }, { refused: 2 });
  const added = { metrics: { readers: [push, pullAt(1)] } };
  const removed = { metrics: { readers: [push] } };
  const refusal = { settings: [], kept: [`Cannot change ${name}: taken; nothing is served`] };
  assert.deepEqual(await apply({ metrics: { readers: [push, pullAt(2)] } }), refusal);
  assert.deepEqual(await apply(added), { settings: [name], kept: [] });
  assert.deepEqual(await apply(removed), { settings: [name], kept: [] });
  assert.deepEqual(await apply(removed), { settings: [], kept: [] });
  assert.deepEqual(calls, ['move localhost:2', 'move localhost:1', 'move nowhere']);
});

test('TelemetryChanges serves nothing with level none', async () => {
  const { calls, apply } = createRig({ metrics: { level: 'none' } });
  const { settings, kept } = await apply({ metrics: { level: 'none', readers: [pullAt(1)] } });
  assert.deepEqual([settings, kept, calls], [[], [], []]);
});

test('TelemetryChanges stops serving when the level becomes none, rather than move to the default address', async () => {
  const { calls, apply } = createRig({ metrics: { readers: [pullAt(1)] } });
  const { settings, kept } = await apply({ metrics: { level: 'none' } });
  assert.deepEqual(settings, ['service.telemetry.metrics.readers[].pull']);
  assert.match(kept.join(), /^Cannot change service\.telemetry\.metrics\.level /u);
  await apply({ metrics: { readers: [pullAt(1)] } });
  assert.deepEqual(calls, ['move nowhere', 'move localhost:1']);
});
