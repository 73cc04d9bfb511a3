import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FormatName } from '../component/schema.js';
import { fc } from '../testing/fixed-seed.fixture.js';
import { describeDuration, formats, parseDuration } from './formats.js';
import type { Problem } from './problem.js';
import { parseConfigText } from './read-yaml.js';
import { parseSettings, validateSettings } from './settings.js';

/** What a format takes, as it is written in YAML, and what a component gets. */
interface Cases {
  readonly right: readonly (readonly [string, unknown])[];
  readonly wrong: readonly string[];
}

const cases: { readonly [Name in FormatName]: Cases } = {
  string: {
    right: [
      ['a', 'a'],
      ['"7"', '7'],
      ['""', ''],
      ['"true"', 'true'],
    ],
    wrong: ['7', 'true', '[a]', '{a: b}'],
  },
  path: {
    right: [
      ['/proc', '/proc'],
      ['a b', 'a b'],
    ],
    wrong: ['""', '7', '[a]'],
  },
  int: {
    right: [
      ['0', 0],
      ['-3', -3],
      ['0x10', 16],
    ],
    wrong: ['1.5', 'a', '"7"', 'true', '.inf', '[1]'],
  },
  number: {
    right: [
      ['1.5', 1.5],
      ['-0.5', -0.5],
      ['1e3', 1000],
    ],
    wrong: ['a', '"1.5"', '.inf', '.nan', 'true'],
  },
  boolean: {
    right: [
      ['true', true],
      ['false', false],
    ],
    wrong: ['"true"', '1', 'yes', '0', '[true]'],
  },
  duration: {
    right: [
      ['1s', 1000],
      ['1m30s', 90_000],
      ['0', 0],
      ['1.5ms', 1.5],
    ],
    wrong: ['5', '-1s', '1d', 's', '""', 'true', '[1s]'],
  },
  milliseconds: {
    right: [
      ['10s', 10_000],
      ['10000', 10_000],
      ['0', 0],
    ],
    wrong: ['-1', '1.5', 'soon', '""', '[1]'],
  },
  byte_size: {
    right: [
      ['1024', 1024],
      ['64MiB', 2 ** 26],
      ['1.5KiB', 1536],
      ['2 GB', 2e9],
    ],
    wrong: ['-1', '1TiB', 'many', '""', '{a: 1}'],
  },
  port: {
    right: [
      ['0', 0],
      ['65535', 65_535],
    ],
    wrong: ['65536', '-1', '80.5', '"80"', 'http'],
  },
  endpoint: {
    right: [
      ['localhost:4317', 'localhost:4317'],
      ['"[::1]:80"', '[::1]:80'],
      ['":80"', ':80'],
    ],
    wrong: ['localhost', 'localhost:x', '""', '80', 'a:65536'],
  },
  target: {
    right: [
      ['https://a:1', 'https://a:1'],
      ['a:1', 'a:1'],
    ],
    wrong: ['7', '[a]'],
  },
  url: {
    right: [
      ['http://a', 'http://a'],
      ['https://a:1/b?c', 'https://a:1/b?c'],
    ],
    wrong: ['ftp://a', 'a:1', '""', 'http://', '7'],
  },
  regexp: {
    right: [
      ['"^a.*$"', '^a.*$'],
      ['7', '7'],
    ],
    wrong: ['"["', '"(?<a"', '[a]', '{a: b}'],
  },
  string_list: {
    right: [
      ['[]', []],
      ['[a, "7"]', ['a', '7']],
    ],
    wrong: ['a', '[7]', '[[a]]', '{a: b}'],
  },
  condition_list: {
    right: [
      ['[]', []],
      ['[a, {error_mode: silent, conditions: [b, c]}, d]', ['a', 'b', 'c', 'd']],
    ],
    wrong: [
      'a',
      '[7]',
      '[[a]]',
      '[{error_mode: silent}]',
      '[{conditions: [7]}]',
      '[{conditions: [a], other: b}]',
    ],
  },
  int_list: {
    right: [
      ['[]', []],
      ['[1, -2]', [1, -2]],
    ],
    wrong: ['1', '[1.5]', '[a]', '["1"]', '[1e300]'],
  },
  number_list: {
    right: [
      ['[]', []],
      ['[1, -2.5, 1e300]', [1, -2.5, 1e300]],
    ],
    wrong: ['1', '[a]', '["1"]', '[[1]]', '{a: 1}'],
  },
  string_map: {
    right: [
      ['{}', {}],
      ['{a: b, c.d: ""}', { a: 'b', 'c.d': '' }],
    ],
    wrong: ['a', '[a]', '{a: 1}', '{a: [b]}'],
  },
  string_lists: {
    right: [
      ['{}', {}],
      ['{a: [b, c], d: []}', { a: ['b', 'c'], d: [] }],
    ],
    wrong: ['a', '[a]', '{a: b}', '{a: [1]}', '{a: {b: [c]}}'],
  },
  attribute_value: {
    right: [
      ['a', 'a'],
      ['7', 7],
      ['"7"', '7'],
      ['true', true],
    ],
    wrong: ['[a]', '{a: b}'],
  },
};

function read(format: FormatName, text: string) {
  const problems: Problem[] = [];
  const schema = { setting: { doc: '', format, default: null } };
  const root = parseConfigText(`setting: ${text}`, 'c.yaml', { env: {}, onUnset() {} }, problems);
  const { setting } = validateSettings(schema, root, '', problems);
  return { setting, messages: problems.map(({ message }) => message) };
}

for (const [name, { right, wrong }] of Object.entries(cases)) {
  // The keys are those of the type.
  const format = name as FormatName;

  test(`a setting of format ${name} gets what is right, in the unit of its component`, () => {
    for (const [text, value] of right)
      assert.deepEqual(read(format, text), { setting: value, messages: [] }, text);
  });

  test(`a setting of format ${name} reports what it wants and what it found, when something else is written`, () => {
    for (const text of wrong) {
      const { setting, messages } = read(format, text);
      assert.equal(messages.length, 1, `${text}: ${JSON.stringify(setting)}`);
      const [message = ''] = messages;
      assert.ok(message.startsWith(`expected ${formats[format].wanted}, found `), `${text}: ${message}`);
    }
  });

  test(`a setting of format ${name} has its default where nothing is written`, () => {
    for (const text of ['', 'null', '~'])
      assert.deepEqual(read(format, text), { setting: null, messages: [] });
  });
}

test('parseDuration reads back what describeDuration wrote, to a nanosecond', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** 15 }), (nanoseconds) => {
      const ms = parseDuration(describeDuration(nanoseconds / 1e6));
      assert.ok(Math.abs((ms ?? NaN) * 1e6 - nanoseconds) < 1, describeDuration(nanoseconds / 1e6));
    }),
  );
});

test('parseSettings takes plain values as a program writes them', () => {
  const schema = { list: { doc: '', format: 'string_list', default: [] } } as const;
  assert.deepEqual(parseSettings(schema, { list: ['a'] }), { list: ['a'] });
  assert.deepEqual(parseSettings(schema, {}), { list: [] });
});
