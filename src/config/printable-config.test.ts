import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FactoryFinder } from '../component/find.js';
import type { Schema } from '../component/schema.js';
import { printableConfig } from './printable-config.js';
import { parseConfigText } from './read-yaml.js';
import { validateService } from './service.js';

const schema = {
  token: { doc: '', format: 'string', default: null, sensitive: true },
  number: { doc: '', format: 'int', default: null, sensitive: true },
  keys: { doc: '', format: 'string_list', default: [], sensitive: true },
  headers: { doc: '', format: 'string_map', default: {}, sensitive: true },
  target: { doc: '', format: 'target', default: 'a:1' },
  targets: { doc: '', format: 'string_list', default: [] },
  labels: { doc: '', format: 'string_map', default: {} },
  wait: { doc: '', format: 'duration', default: '1s' },
  users: {
    doc: '',
    format: 'list',
    items: {
      name: { doc: '', format: 'string', default: '' },
      password: { doc: '', format: 'string', default: '', sensitive: true },
    },
    default: [],
  },
  tls: {
    doc: '',
    format: 'group',
    settings: { key: { doc: '', format: 'string', default: '', sensitive: true } },
    default: null,
  },
} as const satisfies Schema;

const component = { start() {}, shutdown() {}, consume: () => true };
const factory = { schema, create: () => component };
const receiver = {
  ...factory,
  metrics: [],
  probe: () => ({ available: true, found: '', remedies: [] }),
};
const finder: FactoryFinder = {
  list: () => [],
  findReplacement: () => undefined,
  describeSearch: () => '',
  find: (kind) =>
    Promise.resolve({ receiver, processor: factory, exporter: factory, extension: factory }[kind]),
};

async function print(text: string, isRedacted = true): Promise<unknown> {
  const context = { env: { KEY: 's3cret', URL: 'http://me:s3cret@a' }, onUnset() {} };
  const root = parseConfigText(text, 'c.yaml', context, []);
  return printableConfig(root, await validateService(root, finder), isRedacted);
}

/** A configuration in which the settings are those of a component of each kind, under an id as it may be written. */
function everywhere(settings: string, id = 'a'): string {
  return `
receivers: {${id}: ${settings}}
processors: {${id}: ${settings}}
exporters: {${id}: ${settings}}
extensions: {${id}: ${settings}}
service: {pipelines: {metrics: {receivers: [${id}], processors: [${id}], exporters: [${id}]}}}
`;
}

const sections = ['receivers', 'processors', 'exporters', 'extensions'];

test('a secret is hidden in components of every kind, lists and groups, and its names are shown', async () => {
  const settings =
    '{token: s3cret, number: 815, keys: [s3cret], headers: {k: s3cret}, users: [{name: me, password: s3cret}, {password: "${env:KEY}"}], tls: {key: s3cret}, wait: 2s}';
  const hidden = {
    token: '[REDACTED]',
    number: '[REDACTED]',
    keys: '[REDACTED]',
    headers: { k: '[REDACTED]' },
    users: [{ name: 'me', password: '[REDACTED]' }, { password: '[REDACTED]' }],
    tls: { key: '[REDACTED]' },
    wait: '2s',
  };
  const printed = await print(everywhere(settings));
  for (const section of sections) assert.deepEqual(at(printed, section), { a: hidden }, section);
  const shown = JSON.stringify(await print(everywhere(settings), false));
  assert.equal(shown.match(/s3cret/gu)?.length, 4 * 6);
});

test('a secret is hidden whatever spaces are in the id of its component', async () => {
  for (const id of [' a ', 'a / two', ' a/two ', 'a /two']) {
    const printed = await print(everywhere('{token: s3cret}', `"${id}"`));
    for (const section of sections)
      assert.deepEqual(at(printed, section), { [id]: { token: '[REDACTED]' } }, `${section} "${id}"`);
  }
});

test('who logs in is hidden in the addresses of a text, a list and a map', async () => {
  const settings =
    '{target: "${env:URL}", targets: ["https://me:s3cret@a/b", plain@text, "me:s3cret@a:80"], labels: {url: "${env:URL}/x", mail: me@a}}';
  assert.deepEqual(at(await print(everywhere(settings)), 'exporters'), {
    a: {
      target: 'http://[REDACTED]@a',
      targets: ['https://[REDACTED]@a/b', 'plain@text', '[REDACTED]@a:80'],
      labels: { url: 'http://[REDACTED]@a/x', mail: 'me@a' },
    },
  });
});

test('what a merge or an alias brings is hidden where it arrives', async () => {
  const settings = '{token: &t s3cret, users: [{<<: &u {password: s3cret}}, *u], headers: {k: *t}}';
  assert.doesNotMatch(JSON.stringify(await print(everywhere(settings))), /s3cret/u);
});

function at(value: unknown, key: string): unknown {
  return (value as Readonly<Record<string, unknown>>)[key];
}
