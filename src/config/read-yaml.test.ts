import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainOf } from './node.js';
import { describeProblem, type Problem } from './problem.js';
import { parseConfigText } from './read-yaml.js';

const env = { DEEP: '['.repeat(20_000), SELF: '&a [*a]' };

function read(text: string): { readonly value: unknown; readonly problems: readonly string[] } {
  const problems: Problem[] = [];
  const node = parseConfigText(text, 'c.yaml', { env, onUnset() {} }, problems);
  return { value: problems.length > 0 ? undefined : plainOf(node), problems: problems.map(describeProblem) };
}

function nested(depth: number): string {
  return `a: ${'['.repeat(depth)}${']'.repeat(depth)}`;
}

const tooDeep = 'Cannot parse YAML: expected at most 100 levels, found more';

test('parseConfigText replaces aliases by what the last anchor before them names', () => {
  const { value, problems } = read('a: &x {b: [1]}\nc: *x\nd: [*x, &x 2, *x]\n&k key: &e\nf: *e');
  assert.deepEqual(problems, []);
  assert.deepEqual(value, {
    a: { b: [1] },
    c: { b: [1] },
    d: [{ b: [1] }, 2, 2],
    key: null,
    f: null,
  });
});

test('parseConfigText merges at <<: what is written in the map counts first, then the earlier map', () => {
  const text = `
x: &x {p: 1, q: {r: 2}}
y: &y {p: 5, q: 6, z: 3}
one: {p: 9, <<: *x}
two: {<<: [*x, *y]}
chain: {<<: {<<: *y, q: 0}}
quoted: {"<<": text}
value: <<
`;
  const { value, problems } = read(text);
  assert.deepEqual(problems, []);
  assert.deepEqual(value, {
    x: { p: 1, q: { r: 2 } },
    y: { p: 5, q: 6, z: 3 },
    one: { p: 9, q: { r: 2 } },
    two: { p: 1, q: { r: 2 }, z: 3 },
    chain: { q: 0, p: 5, z: 3 },
    quoted: { '<<': 'text' },
    value: '<<',
  });
});

test('parseConfigText names an alias or merge that cannot be resolved at its place, without its text', () => {
  const alias = 'Cannot resolve an alias: expected its anchor at an earlier value of this file, found';
  const remedy = 'quote a text that begins with "*"';
  assert.deepEqual(read('a: 1\nb: *s3cret\nc: *s3cret').problems, [`c.yaml:2:4: ${alias} none; ${remedy}`]);
  assert.deepEqual(read('a: &a\n  b: *a').problems, [
    `c.yaml:2:6: ${alias} the alias inside that value; ${remedy}`,
  ]);
  const merge = 'Cannot merge at "<<": expected a map or a list of maps, found something else';
  assert.deepEqual(read('a: {<<: 3}\nb: {<<: [x]}').problems, [
    `c.yaml:1:5: ${merge}`,
    `c.yaml:2:5: ${merge}`,
  ]);
  assert.deepEqual(read('a: &a {}\nb:\n  <<: *a\n  <<: *a').problems, [
    'c.yaml:4:3: Cannot take "<<": it is already written at line 3',
  ]);
  assert.deepEqual(read('a: {<<: *b}').problems.length, 1);
  assert.deepEqual(read('? [a]\n: b').problems, [
    'c.yaml:1:3: Cannot take a key: expected a text, found a map, a list or an alias',
  ]);
});

test('parseConfigText refuses aliases that stand for more values than a file can hold', () => {
  const names = Array.from('abcdefghij');
  const lines = names.map((name, i) => {
    const items = Array.from({ length: 10 }, () => (i === 0 ? 'lol' : `*${names[i - 1]}`));
    return `${name}: &${name} [${items.join(', ')}]`;
  });
  const problem = 'Cannot resolve aliases: expected at most 100000 values by aliases, found more';
  assert.deepEqual(read(lines.join('\n')).problems, [`c.yaml:5:36: ${problem}`]);
});

test('parseConfigText refuses maps and lists that nest too deep, with one error', () => {
  assert.deepEqual(read(nested(99)).problems, []);
  assert.deepEqual(read(nested(200)).problems, [`c.yaml:1:103: ${tooDeep}`]);
  const lines = Array.from({ length: 2000 }, (_, i) => `${' '.repeat(i)}a:`);
  for (const text of [nested(5000), '- '.repeat(5000), lines.join('\n')]) {
    const [problem = '', ...others] = read(text).problems;
    assert.match(problem, /^c\.yaml:\d+:\d+: Cannot parse YAML: expected at most 100 levels, found more$/u);
    assert.deepEqual(others, []);
  }
});

test('parseConfigText reports the first error of a file only, and nothing of what it holds', () => {
  const rest = '  c: d\n'.repeat(100);
  for (const text of [
    `a: [b\n${rest}`,
    `a: {b: "x\n${rest}`,
    `a:\n\tb: 1\n${rest}`,
    'a: b: c\n'.repeat(50),
  ]) {
    assert.equal(read(text).problems.length, 1);
  }
  for (const text of [
    'a: @s3cret',
    'a: "\\qs3cret"',
    'a: x: s3cret',
    'a: [x] s3cret',
    '? s3cret\n- x',
    '%s3cret',
  ]) {
    for (const problem of read(text).problems) assert.doesNotMatch(problem, /s3cret/u);
  }
});

test('parseConfigText names a quote that is not closed where it opens', () => {
  const problemOf = (text: string) => read(text).problems.join('\n');
  const [double, single] = [`"`, `'`].map(
    (quote) => `Cannot parse YAML: expected the closing ${quote} of this quote`,
  );
  for (const text of [
    'a:\n  b: "s3cret\n  c: 1\nd: 2\n',
    'a:\n  b: "s3cret\\"\n',
    'a:\n- b: "x\n- c: "y"\n',
  ]) {
    assert.equal(problemOf(text), `c.yaml:2:6: ${double}, found none`);
  }
  assert.equal(problemOf("a: [x, 'y, z]\nb: 1\n"), `c.yaml:1:8: ${single}, found none`);
  assert.equal(problemOf("a:\n  'b: 1\nc: 2\n"), `c.yaml:2:3: ${single}, found none`);
  const text = 'a:\n  b: "http://x\n   c: "y"\n  d: [\n';
  assert.equal(problemOf(text), `c.yaml:2:6: ${double} on its line, found it on a later one`);
  assert.equal(problemOf("a: 'it's'"), 'c.yaml:1:8: Cannot parse YAML: Unexpected scalar at node end');
  assert.deepEqual(read('a: "b\n  c"\n').value, { a: 'b c' });
});

test('parseConfigText takes a reference that is not YAML, or has no end as YAML, for a text', () => {
  assert.deepEqual(read('a: ${env:DEEP}\nb: ${env:SELF}').value, { a: env.DEEP, b: env.SELF });
});

test('parseConfigText reads YAML 1.2, whatever a directive says, and leaves bytes as they are written', () => {
  const { value } = read('%YAML 1.1\n---\na: 2001-01-01\nb: yes\nc: !!binary aGk=\nd: 1:30');
  assert.deepEqual(value, { a: '2001-01-01', b: 'yes', c: 'aGk=', d: '1:30' });
});
