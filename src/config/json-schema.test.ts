import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schema } from '../component/schema.js';
import { formats } from './formats.js';
import { describeConfig } from './json-schema.js';

const schema = {
  path: { doc: 'Where.', format: 'path', default: '/proc' },
  count: { doc: 'How many.', format: 'int', default: 3, min: 1, max: 9 },
  wait: { doc: 'How long.', format: 'duration', default: '1s', min: 1 },
  mode: { doc: 'Which one.', format: ['a', 'b'], default: 'a' },
  token: { doc: 'Who.', format: 'string', default: null, sensitive: true },
  deep: { inner: { doc: 'Whether.', format: 'boolean', default: false } },
} as const satisfies Schema;

type Json = Readonly<Record<string, unknown>>;

/** The part of a JSON value at a path. */
function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce((part: unknown, key) => (part as Json)[key], value);
}

const config = describeConfig({ receivers: { one: schema }, exporters: { one: schema } });
const levelOf = (section: string) =>
  (at(config, 'properties', section, 'patternProperties', '^one(/.+)?$', 'anyOf') as readonly Json[])[0];

const keysOf = (section: string) => Object.keys(at(levelOf(section), 'properties') as Json);

test('describeConfig refers to one definition for each format, with the text of a reference in its place', () => {
  const definitions = at(config, 'definitions') as Json;
  assert.deepEqual(Object.keys(definitions).toSorted(), ['reference', ...Object.keys(formats)].toSorted());
  for (const [name, definition] of Object.entries(definitions)) {
    if (name === 'reference') continue;
    const choices = at(definition, 'anyOf') as readonly Json[];
    assert.deepEqual(choices.slice(1), [{ type: 'null' }, { $ref: '#/definitions/reference' }], name);
  }
  assert.match('a ${env:A}', new RegExp(String(at(definitions, 'reference', 'pattern')), 'u'));
});

test('describeConfig gives each setting its description, format, default and bounds', () => {
  const properties = at(levelOf('exporters'), 'properties') as Json;
  assert.deepEqual(properties['path'], {
    description: 'Where.',
    allOf: [{ $ref: '#/definitions/path' }],
    default: '/proc',
  });
  assert.deepEqual(properties['count'], {
    description: 'How many.',
    allOf: [{ $ref: '#/definitions/int' }],
    minimum: 1,
    maximum: 9,
    default: 3,
  });
  // A duration is a text as a rule, which has no minimum.
  assert.deepEqual(Object.keys(properties['wait'] as Json), ['description', 'allOf', 'default']);
  assert.deepEqual(at(properties, 'mode', 'anyOf', '0'), { enum: ['a', 'b'] });
  assert.equal('default' in (properties['token'] as Json), false);
  assert.equal(at(properties, 'deep', 'properties', 'inner', 'description'), 'Whether.');
});

test('describeConfig knows no other settings, sections and pipelines, and types of other packages', () => {
  assert.equal(at(config, 'additionalProperties'), false);
  assert.equal(at(levelOf('exporters'), 'additionalProperties'), false);
  assert.equal(at(levelOf('exporters'), 'properties', 'deep', 'additionalProperties'), false);
  assert.equal('additionalProperties' in (at(config, 'properties', 'exporters') as Json), false);
  const pipelines = at(config, 'properties', 'service', 'properties', 'pipelines');
  assert.equal(at(pipelines, 'additionalProperties'), false);
  const [pattern = ''] = Object.keys(at(pipelines, 'patternProperties') as Json);
  assert.deepEqual(
    ['metrics', 'metrics/two', 'metrics/', 'logs', 'my-metrics'].map((id) =>
      new RegExp(pattern, 'u').test(id),
    ),
    [true, true, false, false, false],
  );
});

test('describeConfig gives receivers the settings that the pipeline reads, and other components none of them', () => {
  assert.deepEqual(
    keysOf('receivers').filter((key) => !keysOf('exporters').includes(key)),
    ['start', 'fallback_for'],
  );
});
