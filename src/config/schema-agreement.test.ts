import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schema } from '../component/schema.js';
import { fc } from '../testing/fixed-seed.fixture.js';
import { formats } from './formats.js';
import { describeConfig } from './json-schema.js';
import { nodeOf } from './node.js';
import type { Problem } from './problem.js';
import { serviceSchema } from './service-schema.js';
import { validateSettings } from './settings.js';

type Json = Readonly<Record<string, unknown>>;

/** Formats of which the JSON schema says everything; of the others it says the type. */
const exact = {
  text: { doc: '', format: 'string', default: null },
  path: { doc: '', format: 'path', default: null },
  int: { doc: '', format: 'int', default: 3, min: 1, max: 9 },
  number: { doc: '', format: 'number', default: null, min: -1.5 },
  boolean: { doc: '', format: 'boolean', default: null },
  port: { doc: '', format: 'port', default: 1 },
  texts: { doc: '', format: 'string_list', default: [] },
  conditions: { doc: '', format: 'condition_list', default: [] },
  ints: { doc: '', format: 'int_list', default: [] },
  map: { doc: '', format: 'string_map', default: {} },
  lists: { doc: '', format: 'string_lists', default: {} },
  attribute: { doc: '', format: 'attribute_value', default: null },
  mode: { doc: '', format: ['auto', 'off'], default: 'auto' },
  level: { int: { doc: '', format: 'int', default: 1 } },
  group: {
    doc: '',
    format: 'group',
    settings: { path: { doc: '', format: 'path', default: null } },
    default: null,
  },
  list: { doc: '', format: 'list', items: { port: { doc: '', format: 'port', default: 1 } }, default: [] },
} as const satisfies Schema;

const all: Schema = {
  ...exact,
  ...Object.fromEntries(
    Object.keys(formats).map((format) => [
      `of_${format}`,
      { doc: '', format: format as 'int', default: null },
    ]),
  ),
};

const config = describeConfig({ exporters: { exact, all } });

const typesOf: Readonly<Record<string, (value: unknown) => boolean>> = {
  null: (value) => value === null,
  array: Array.isArray,
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  integer: Number.isInteger,
  number: (value) => typeof value === 'number',
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
};

/** Whether a JSON schema takes a value, by the keywords that `describeConfig` writes. */
function takes(schema: Json, value: unknown): boolean {
  const checks: Readonly<Record<string, (wanted: never) => boolean>> = {
    $ref: (ref: string) => takes(at(config, ...ref.split('/').slice(1)), value),
    anyOf: (choices: Json[]) => choices.some((each) => takes(each, value)),
    allOf: (parts: Json[]) => parts.every((each) => takes(each, value)),
    enum: (choices: unknown[]) => choices.includes(value),
    type: (types: string | string[]) => [types].flat().some((type) => typesOf[type]?.(value)),
    minimum: (min: number | undefined) => !(typeof value === 'number' && min !== undefined && value < min),
    maximum: (max: number | undefined) => !(typeof value === 'number' && max !== undefined && value > max),
    minLength: (min: number) => typeof value !== 'string' || value.length >= min,
    pattern: (pattern: string) => typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
    required: (keys: string[]) =>
      !typesOf['object']?.(value) || keys.every((key) => Object.hasOwn(value as Json, key)),
    items: (items: Json) => !Array.isArray(value) || value.every((item) => takes(items, item)),
  };
  const isTaken = Object.entries(schema).every(([key, wanted]) => checks[key]?.(wanted as never) ?? true);
  if (!isTaken || !typesOf['object']?.(value)) return isTaken;
  const { properties = {}, additionalProperties: others = true } = schema;
  return Object.entries(value as Json).every(([key, item]) => {
    if (Object.hasOwn(properties as Json, key)) return takes(at(properties, key), item);
    return typeof others === 'boolean' ? others : takes(others as Json, item);
  });
}

function at(value: unknown, ...path: readonly string[]): Json {
  return path.reduce((part, key) => part[key] as Json, value as Json);
}

const levelOf = (type: string) =>
  at(config, 'properties', 'exporters', 'patternProperties', `^${type}(/.+)?$`, 'anyOf', '0');

function isRight(schema: Schema, value: unknown): boolean {
  const problems: Problem[] = [];
  validateSettings(schema, nodeOf(value), '', problems);
  return problems.length === 0;
}

const texts = ['', 'auto', '1s', '64MiB', 'a:1', 'http://a', '[', '0'];
const numbers = [0, 1, 9, 10, 0.5, -1.5, -1.6, 1e300, 65_535, 65_536];
const singles: readonly unknown[] = [null, true, false, ...texts, ...numbers];
const single = fc.constantFrom(...singles);
const key = fc.constantFrom('a', 'path', 'int', 'port', 'level');
const several = fc.oneof(
  fc.array(single, { maxLength: 2 }),
  fc.dictionary(key, single, { maxKeys: 2, noNullPrototype: true }),
);
const nested = fc.oneof(several, fc.array(several, { maxLength: 2 }));

/** Checks every setting of a schema, and an unknown one, with every single value and with lists and maps of them. */
function forEach(schema: Schema, check: (settings: Json) => void): void {
  const names = [...Object.keys(schema), 'unknown'];
  for (const name of names) for (const value of singles) check({ [name]: value });
  fc.assert(
    fc.property(fc.constantFrom(...names), nested, (name, value) => check({ [name]: value })),
    { numRuns: 2000 },
  );
}

test('the JSON schema takes every value that the validation takes', () => {
  forEach(all, (settings) => {
    if (isRight(all, settings)) assert.ok(takes(levelOf('all'), settings), JSON.stringify(settings));
  });
});

test('the validation takes every value that the JSON schema takes, where the schema says everything', () => {
  forEach(exact, (settings) => {
    const { ints } = settings;
    // JSON has no bound for whole numbers of a list.
    if (Array.isArray(ints) && ints.includes(1e300)) return;
    if (takes(levelOf('exact'), settings)) assert.ok(isRight(exact, settings), JSON.stringify(settings));
  });
});

test('the JSON schema and the validation agree on the settings of the service', () => {
  const service = at(config, 'properties', 'service');
  for (const [value, expected] of [
    [{ extensions: null }, true],
    [{ extensions: ['a'] }, true],
    [{ extensions: 'a' }, false],
    [{ telemetry: null }, true],
    [{ telemetry: { metrics: { readers: [{ pull: null }] } } }, true],
    [{ telemetry: { metrics: { readers: [{ pull: 7 }] } } }, false],
    [{ telemetry: { logs: { level: 'loud' } } }, false],
    [{ telemetry: { resource: { 'service.name': 'a' } } }, true],
    [{ telemetrie: {} }, false],
  ] as const)
    assert.deepEqual(
      [takes(service, value), isRight(serviceSchema, value)],
      [expected, expected],
      JSON.stringify(value),
    );
  assert.ok(takes(service, { extensions: '${env:EXTENSIONS}' }));
});
