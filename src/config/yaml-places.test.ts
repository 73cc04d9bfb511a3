import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schema } from '../component/schema.js';
import { plainOf } from './node.js';
import { describeProblem, type Problem } from './problem.js';
import { parseConfigText } from './read-yaml.js';
import { validateSettings } from './settings.js';

const schema = {
  list: {
    doc: '',
    format: 'list',
    items: { port: { doc: '', format: 'port', default: 0 } },
    default: [],
  },
  deep: { inner: { doc: '', format: 'boolean', default: false } },
  names: { doc: '', format: 'string_list', default: [] },
} as const satisfies Schema;

/** `line:column: path` of everything that is wrong. */
function placesOf(text: string): readonly string[] {
  const problems: Problem[] = [];
  validateSettings(schema, read(text, problems), '', problems);
  return problems.map(({ origin, path }) => `${origin?.line}:${origin?.column}: ${path}`);
}

function read(text: string, problems: Problem[]) {
  return parseConfigText(text, 'c', { env: {}, onUnset() {} }, problems);
}

function problemsOf(text: string): readonly string[] {
  const problems: Problem[] = [];
  read(text, problems);
  return problems.map(describeProblem);
}

test('the place of a wrong value is where the value begins, in block and in flow style', () => {
  assert.deepEqual(placesOf('list:\n  - port: a\n  - port:   b\ndeep:\n    inner: 1\n'), [
    '2:11: list[0].port',
    '3:13: list[1].port',
    '5:12: deep.inner',
  ]);
  assert.deepEqual(placesOf('{list: [{port: a}, {port: b}],\n deep: {inner: 1}}'), [
    '1:16: list[0].port',
    '1:27: list[1].port',
    '2:16: deep.inner',
  ]);
  assert.deepEqual(placesOf('deep:\n  inner: |\n    true\nnames: # why\n  a: b\n'), [
    '2:10: deep.inner',
    '5:3: names',
  ]);
});

test('the place of an unknown setting is its key', () => {
  assert.deepEqual(placesOf('deep:\n  "outer": 1\n? other\n: 2\n'), ['3:3: other', '2:3: deep.outer']);
});

test('a value by an alias or a merge has the place of its anchor', () => {
  assert.deepEqual(placesOf('list: [{port: &p a}]\ndeep: {inner: *p}\n'), [
    '1:18: list[0].port',
    '1:18: deep.inner',
  ]);
  assert.deepEqual(placesOf('deep: &d {inner: 3}\nlist: [{<<: *d}]\n'), [
    '1:11: list[0].inner',
    '1:18: deep.inner',
  ]);
});

test('a place is the same with a byte order mark, and with line ends of Windows', () => {
  for (const text of ['deep: {inner: 1}\n', 'names: []\ndeep:\n  inner: x\n'])
    for (const written of [`\uFEFF${text}`, text.replaceAll('\n', '\r\n')])
      assert.deepEqual(placesOf(written), placesOf(text), JSON.stringify(written));
  assert.deepEqual(placesOf('\uFEFFdeep: {inner: 1}'), ['1:15: deep.inner']);
  assert.deepEqual(plainOf(read('a:\r\n  - |\r\n    x\r\n    y\r\nb: c\r\n', [])), { a: ['x\ny\n'], b: 'c' });
});

test('a key is written once, however it is quoted, and in lists and flow maps, too', () => {
  for (const [text, place, key] of [
    ['{a: 1, a: 2}', '1:8', 'a'],
    ['a: {"b": 1, b: 2}', '1:13', 'b'],
    ['1: a\n"1": b', '2:1', '1'],
    ['- a: 1\n  a: 2', '2:3', 'a'],
  ] as const) {
    assert.deepEqual(problemsOf(text), [
      `c:${place}: Cannot take "${key}": expected it once, found it at line 1, too`,
    ]);
  }
  assert.deepEqual(problemsOf('a: {k: 1}\nb: {k: 1}\n'), []);
});

test('an error of YAML names what is wrong at its place', () => {
  for (const [text, expected] of Object.entries({
    'a:\n\tb: 1': '2:1: Cannot parse YAML: Tabs are not allowed as indentation',
    'a:\n  b: 1\n\tc: 2': '3:1: Cannot parse YAML: Tabs are not allowed as indentation',
    'a: {b: 1': '1:4: Cannot parse YAML: expected "}" for this "{", found none',
    'a: { b: ${env:X} }\n':
      '1:9: Cannot parse YAML: expected quotes around this reference between brackets, found none',
    'a: [ ${env:X}, 1 ]\n':
      '1:6: Cannot parse YAML: expected quotes around this reference between brackets, found none',
    'a:\n  b: [1, {c: 2}\n': '2:6: Cannot parse YAML: expected "]" for this "[", found none',
    'a: ]': '1:4: Cannot parse YAML: Unexpected flow-seq-end token in YAML stream',
    'a: [b,, c]': '1:7: Cannot parse YAML: Unexpected , in flow sequence',
    'a: @b': '1:4: Cannot parse YAML: Plain value cannot start with reserved character @',
    '- a\nb: 1': '2:1: Cannot parse YAML: Unexpected scalar at node end',
    'a: 1\n b: 2': '1:4: Cannot parse YAML: Nested mappings are not allowed in compact mappings',
  }))
    assert.deepEqual(problemsOf(text), [`c:${expected}`]);
  assert.deepEqual(problemsOf('a:\t1\n# tab\t\nb: "\t"\n'), []);
});
