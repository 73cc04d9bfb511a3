import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Factories } from '../component/component.js';
import type { FactoryFinder } from '../component/find.js';
import type { Schema } from '../component/schema.js';
import { nodeOf } from './node.js';
import { printableConfig } from './printable-config.js';
import { parseConfigText } from './read-yaml.js';
import { validateService } from './service.js';

const schema = {
  zones: { doc: '', format: 'string_list', default: [] },
  auth: { token: { doc: '', format: 'string', default: null, sensitive: true } },
  headers: { doc: '', format: 'string_map', default: {}, sensitive: true },
} as const satisfies Schema;

const component = { start() {}, shutdown() {}, consume: () => true };
const receiver = {
  schema,
  metrics: [],
  probe: () => ({ available: true, found: '', remedies: [] }),
  create: () => component,
};
const factory = { schema, create: () => component };

const finder: FactoryFinder = {
  list: () => ['known'],
  findReplacement: (_, type) => (type === 'knowm' ? 'use "known"' : undefined),
  describeSearch: () => 'looked elsewhere',
  find(kind, type) {
    const known = { receiver, processor: factory, exporter: factory, extension: factory };
    return Promise.resolve(type === 'known' ? known[kind] : undefined);
  },
};

async function validate(text: string) {
  const context = { env: {}, onUnset: () => {} };
  return validateService(parseConfigText(text, 'c.yaml', context, []), finder);
}

async function problemsOf(text: string): Promise<string[]> {
  try {
    await validate(text);
    return [];
  } catch (error) {
    assert.ok(error instanceof Error);
    return error.message.split('\n');
  }
}

const right = `
receivers: {known: {zones: [a]}, known/two: {start: auto, fallback_for: [known]}}
exporters: {known: }
extensions: {known: }
service:
  extensions: [known]
  pipelines: {metrics: {receivers: [known, known/two], exporters: [known]}}
  telemetry: {logs: {level: debug}}
`;

test('validateService gives components, pipelines and telemetry, when everything is right', async () => {
  const config = await validate(right);
  assert.deepEqual([...config.receivers.keys()], ['known', 'known/two']);
  assert.deepEqual(config.receivers.get('known')?.settings, {
    zones: ['a'],
    auth: { token: null },
    headers: {},
  });
  assert.deepEqual(config.receivers.get('known/two')?.keys, { start: 'auto', fallback_for: ['known'] });
  assert.deepEqual(config.pipelines, [
    { id: 'metrics', receivers: ['known', 'known/two'], processors: [], exporters: ['known'] },
  ]);
  assert.deepEqual(config.runningExtensions, ['known']);
  assert.equal(config.telemetry.logs.level, 'debug');
  assert.equal(config.telemetry.metrics.level, 'normal');
});

test('validateService names everything that is wrong with its place, when much is', async () => {
  const text = `
receivers:
  known: {zonnes: [a], zones: 3}
  unknwn:
  "known/": {}
exporters: {known: {}}
servce: {}
service:
  extensions: [health]
  pipelines:
    metrics: {receivers: [knwn, known, known], exporters: []}
    traces: {receivers: [known], exporters: [known]}
    metrics/x: {recievers: [known]}
  telemetry: {logs: {level: loud}}
`;
  assert.deepEqual(await problemsOf(text), [
    'c.yaml:7:1: servce: unknown section, did you mean "service"?',
    'c.yaml:3:11: receivers.known.zonnes: unknown setting, did you mean "zones"?',
    'c.yaml:3:31: receivers.known.zones: expected a list of texts, found the number 3',
    'c.yaml:4:3: receivers.unknwn: unknown receiver type "unknwn", known: known (looked elsewhere)',
    'c.yaml:5:3: receivers.known/: expected a component name of 1 to 1024 characters without spaces and symbols, found ""',
    'c.yaml:11:5: service.pipelines.metrics: must have at least one exporter',
    'c.yaml:11:27: service.pipelines.metrics.receivers: references receiver "knwn" which is not configured, did you mean "known"?',
    'c.yaml:11:40: service.pipelines.metrics.receivers: references receiver "known" more than once',
    'c.yaml:12:5: service.pipelines.traces: unknown signal "traces", this collector has metrics pipelines only',
    'c.yaml:13:17: service.pipelines.metrics/x.recievers: unknown setting, did you mean "receivers"?',
    'c.yaml:14:29: service.telemetry.logs.level: expected one of debug, info, warn, error, found the text "loud"',
    'c.yaml:9:16: service.extensions: references extension "health" which is not configured',
  ]);
});

test('validateService gives one remedy for the name of a component of the Collector', async () => {
  const text =
    'receivers: {knowm: {}}\nservice: {pipelines: {metrics: {receivers: [knowm], exporters: [known]}}}\nexporters: {known: {}}';
  assert.deepEqual(await problemsOf(text), [
    'c.yaml:1:13: receivers.knowm: unknown receiver type "knowm"; use "known"',
  ]);
});

test('validateService wants pipelines, when there are none', async () => {
  assert.deepEqual(await problemsOf(''), ['c.yaml: service.pipelines: must have at least one pipeline']);
});

test('validateService reports a section that is no map once', async () => {
  assert.deepEqual(await problemsOf('service: 3'), [
    'c.yaml:1:10: service: expected a map of settings, found the number 3',
  ]);
});

test('validateService finds an id with spaces around its parts, and refuses it a second time', async () => {
  const spaced = right.replace('known/two: {', '" known / two": {').replace('known/two]', 'known /two]');
  const config = await validate(spaced);
  assert.deepEqual([...config.receivers.keys()], ['known', 'known/two']);
  assert.deepEqual(config.pipelines[0]?.receivers, ['known', 'known/two']);
  const twice = right.replace('known/two: {', 'known /two: , known/two: {');
  assert.deepEqual(await problemsOf(twice), [
    'c.yaml:2:48: receivers.known/two: expected each component once, found "known/two" twice',
  ]);
});

/** The problems of readers of the own telemetry. */
function problemsOfReaders(readers: string): Promise<readonly string[]> {
  return problemsOf(right.replace('logs:', `metrics: {readers: ${readers}}, logs:`));
}

test('validateService takes one reader that serves and several that push', async () => {
  const readers = '[{pull: }, {periodic: }, {periodic: {interval: 5000, timeout: 1s, exporter: {otlp: }}}]';
  const { telemetry } = await validate(right.replace('logs:', `metrics: {readers: ${readers}}, logs:`));
  const [first, second, third] = telemetry.metrics.readers;
  assert.deepEqual(first?.pull?.exporter.prometheus, {
    host: 'localhost',
    port: 8888,
    web_config_file: null,
  });
  assert.equal(first?.periodic, null);
  assert.equal(second?.periodic?.interval, 60_000);
  assert.deepEqual([third?.periodic?.interval, third?.periodic?.timeout], [5000, 1000]);
});

test('validateService reports what is wrong with readers that do not go together', async () => {
  const path = 'service.telemetry.metrics.readers';
  assert.deepEqual(await problemsOfReaders('[{pull: }, {pull: }]'), [
    `c.yaml:8:25: ${path}: expected one pull reader at most, found 2`,
  ]);
  assert.deepEqual(await problemsOfReaders('[{}, {pull: , periodic: }]'), [
    `c.yaml:8:35: ${path}[0]: expected either pull or periodic, found neither`,
    `c.yaml:8:39: ${path}[1]: expected either pull or periodic, found both`,
  ]);
  const otlp = 'exporter: {otlp: {endpoint: "x", client_key: k}}';
  assert.deepEqual(await problemsOfReaders(`[{periodic: {interval: 1s, timeout: 2s, ${otlp}}}]`), [
    `c.yaml:8:61: ${path}[0].periodic.timeout: expected at most the interval, 1000ms, found 2000ms`,
    `c.yaml:8:92: ${path}[0].periodic.exporter.otlp.endpoint: expected host:port such as "localhost:4317", found "x"`,
    `c.yaml:8:85: ${path}[0].periodic.exporter.otlp: expected client_certificate and client_key together, found only one of them`,
  ]);
});

test('validateService names what is supported, when the own telemetry is to go by another protocol', async () => {
  const [problem] = await problemsOfReaders('[{periodic: {exporter: {otlp: {protocol: http/protobuf}}}}]');
  assert.match(problem ?? '', /otlp\.protocol: expected one of grpc, found the text "http\/protobuf"$/u);
  const [other] = await problemsOfReaders('[{periodic: {exporter: {console: }}}]');
  assert.match(other ?? '', /exporter\.console: unknown setting/u);
});

const metric = {
  name: 'x.energy',
  unit: 'J',
  description: '',
  kind: 'counter',
  valueType: 'double',
} as const;

test('validateService refuses a processor that gets nothing to work on, and names what would', async () => {
  const text = `
receivers: {known: {}, any: {}}
processors: {known: {}}
exporters: {known: {}}
service:
  pipelines:
    metrics: {receivers: [known], processors: [known], exporters: [known]}
    metrics/any: {receivers: [known, any], processors: [known], exporters: [known]}
`;
  const needs = [
    { what: 'energy', metrics: ['x.energy'], from: 'x' },
    { what: 'usage', metrics: ['y.usage', 'z.usage'], from: 'y or z' },
  ];
  const known: Factories = {
    receiver: { ...receiver, metrics: [metric] },
    processor: { ...factory, needs },
    exporter: factory,
    extension: factory,
  };
  const any: Factories = { ...known, receiver: { ...receiver, metrics: [] } };
  const needing: FactoryFinder = {
    ...finder,
    find: (kind, type) => Promise.resolve(type === 'any' ? any[kind] : known[kind]),
  };
  const root = parseConfigText(text, 'c.yaml', { env: {}, onUnset() {} }, []);
  await assert.rejects(validateService(root, needing), {
    message:
      'c.yaml:7:48: service.pipelines.metrics.processors: "known" gets no usage: expected a receiver of y.usage or z.usage in this pipeline, such as y or z, found known',
  });
});

test('validateService takes a receiver into several pipelines, and a component that no pipeline names', async () => {
  const { receivers, exporters, pipelines } = await validate(
    right
      .replace('exporters: {known: }', 'exporters: {known: , known/unused: }\nprocessors:\n')
      .replace(
        'exporters: [known]}}',
        'exporters: [known]}, metrics/b: {receivers: [known], processors: , exporters: [known]}}',
      ),
  );
  assert.deepEqual([...receivers.keys()], ['known', 'known/two']);
  assert.deepEqual([...exporters.keys()], ['known', 'known/unused']);
  assert.deepEqual(
    pipelines.map(({ id, receivers: ids }) => [id, ids]),
    [
      ['metrics', ['known', 'known/two']],
      ['metrics/b', ['known']],
    ],
  );
});

test('validateService finds the receivers that another stands in for, and refuses itself and others', async () => {
  const spaced = await validate(right.replace('fallback_for: [known]', 'fallback_for: [" known "]'));
  assert.deepEqual(spaced.receivers.get('known/two')?.keys.fallback_for, ['known']);
  const path = 'c.yaml:2:34: receivers.known/two.fallback_for: references';
  assert.deepEqual(
    await problemsOf(right.replace('fallback_for: [known]', 'fallback_for: [known/two, none]')),
    [`${path} itself`, `${path} receiver "none" which is not configured`],
  );
});

test('validateService reports each section of components that is no map, and takes one without a value', async () => {
  for (const [written, found] of [
    ['[known]', '2:12: receivers: expected a map of receivers, found a list with the text "known"'],
    ['known', '2:12: receivers: expected a map of receivers, found the text "known"'],
  ]) {
    const [first] = await problemsOf(right.replace(/receivers: .*/u, `receivers: ${written}`));
    assert.equal(first, `c.yaml:${found}`);
  }
  const [first] = await problemsOf(right.replace(/receivers: .*/u, 'receivers:'));
  assert.match(first ?? '', /references receiver "known" which is not configured$/u);
});

test('printableConfig replaces secrets and keeps the rest', async () => {
  const readers = '[{periodic: {exporter: {otlp: {headers: {"x-key": k}}}}}]';
  const secret = right
    .replace('{zones: [a]}', '{zones: [a], auth: {token: t}, headers: {Authorization: b}}')
    .replace('logs:', `metrics: {readers: ${readers}}, logs:`);
  const root = parseConfigText(secret, 'c.yaml', { env: {}, onUnset: () => {} }, []);
  const plain = JSON.stringify(printableConfig(root, await validateService(root, finder), true));
  assert.match(
    plain,
    /"zones":\["a"\],"auth":\{"token":"\[REDACTED\]"\},"headers":\{"Authorization":"\[REDACTED\]"\}/,
  );
  assert.match(plain, /"level":"debug"/);
  assert.match(plain, /"otlp":\{"headers":\{"x-key":"\[REDACTED\]"\}\}/);
});

test('printableConfig prints what components get: a text where a setting is one, the value elsewhere', async () => {
  const text = right
    .replace('{zones: [a]}', '\n    zones:\n      - ${env:NUMBER}\n    auth:\n      token: ${env:CUT}\n ')
    .replace(', known/two', '\n  known/two')
    .replace('receivers: {known', 'receivers:\n  known')
    .replace('fallback_for: [known]}}', 'fallback_for: [known]}');
  const env = { NUMBER: '012', CUT: 'pa55 #word' };
  const root = parseConfigText(text, 'c.yaml', { env, onUnset() {} }, []);
  const service = await validateService(root, finder);
  assert.deepEqual(service.receivers.get('known')?.settings, {
    zones: ['012'],
    auth: { token: 'pa55 #word' },
    headers: {},
  });
  const printed = (isRedacted: boolean) => JSON.stringify(printableConfig(root, service, isRedacted));
  assert.match(printed(false), /"zones":\["012"\],"auth":\{"token":"pa55 #word"\}/u);
  assert.match(printed(true), /"zones":\["012"\],"auth":\{"token":"\[REDACTED\]"\}/u);
});

test('nodeOf takes nothing for null, when a value has no place in a configuration', () => {
  assert.deepEqual(nodeOf(undefined), { kind: 'scalar', value: null, origin: undefined });
});
