import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schema } from '../component/schema.js';
import { plainOf } from './node.js';
import { describeProblem, type Problem } from './problem.js';
import { parseConfigText } from './read-yaml.js';
import { validateSettings } from './settings.js';

const deepEnv = { DEEP: '['.repeat(20_000), SELF: '&a [*a]' };

function read(text: string): { readonly value: unknown; readonly problems: readonly string[] } {
  const problems: Problem[] = [];
  const node = parseConfigText(text, 'c.yaml', { env: deepEnv, onUnset() {} }, problems);
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
    'c.yaml:4:3: Cannot take "<<": expected it once, found it at line 3, too',
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

test('parseConfigText takes a reference that is not YAML, or never ends as YAML, for a text', () => {
  assert.deepEqual(read('a: ${env:DEEP}\nb: ${env:SELF}').value, { a: deepEnv.DEEP, b: deepEnv.SELF });
});

test('parseConfigText reads YAML 1.2, whatever a directive says, and leaves bytes as they are written', () => {
  const { value } = read('%YAML 1.1\n---\na: 2001-01-01\nb: yes\nc: !!binary aGk=\nd: 1:30');
  assert.deepEqual(value, { a: '2001-01-01', b: 'yes', c: 'aGk=', d: '1:30' });
});

const schema = {
  text: { doc: '', format: 'string', default: 'unset' },
  value: { doc: '', format: 'attribute_value', default: null },
  whole: { doc: '', format: 'int', default: 7 },
  flag: { doc: '', format: 'boolean', default: false },
  duration: { doc: '', format: 'duration', default: '1s' },
  list: { doc: '', format: 'string_list', default: [] },
  numbers: { doc: '', format: 'int_list', default: [] },
  map: { doc: '', format: 'string_map', default: {}, sensitive: true },
  secret: { doc: '', format: 'int', default: 1, sensitive: true },
  path: { doc: '', format: 'path', default: '/proc' },
  endpoint: { doc: '', format: 'endpoint', default: 'localhost:1' },
  target: { doc: '', format: 'target', default: 'localhost:2' },
  url: { doc: '', format: 'url', default: 'http://localhost:3' },
  mode: { doc: '', format: ['true', 'auto'], default: 'auto' },
} as const satisfies Schema;

function validate(text: string, env: Record<string, string> = {}) {
  const problems: Problem[] = [];
  const node = parseConfigText(text, 'c.yaml', { env, onUnset() {} }, problems);
  const settings = validateSettings(schema, node, '', problems);
  return { settings, problems: problems.map(describeProblem) };
}

/** Texts that YAML would read as something else, cut, or refuse. */
const texts = [
  '012345678912',
  '12345678901234567890',
  '1.10',
  '0x1F',
  '1e5',
  'true',
  'null',
  '~',
  'pa55 #word',
  '*abc',
  '&abc x',
  '{abc}',
  '[a, b]',
  'key: v',
  '- a',
  '"quoted"',
  ' spaced ',
  '!tag x',
  '<<',
  '${NAME}',
  'a\nb: c',
  '---',
];

test('a setting that is a text gets what a reference gives verbatim, with or without quotes', () => {
  for (const text of texts) {
    for (const written of ['${env:A}', '!!str ${env:A}', '"${env:A}"', "'${A}'", '|-\n  ${env:A}']) {
      const { settings, problems } = validate(`text: ${written}\nmap: {k: "x"}`, { A: text });
      assert.deepEqual([problems, settings.text], [[], text]);
    }
    const { settings } = validate('map:\n  k: ${env:A}\nlist:\n  - ${env:A}\n  - x${env:A}', { A: text });
    assert.deepEqual([settings.map, settings.list], [{ k: text }, [text, `x${text}`]]);
  }
});

test('an attribute value in quotes stays text; without quotes it is a number or a truth value, never more', () => {
  for (const text of texts) {
    for (const written of ['"${env:A}"', '!!str ${env:A}', '! ${env:A}', '!!str "${env:A}"']) {
      assert.equal(validate(`value: ${written}`, { A: text }).settings.value, text);
    }
  }
  const typed = { '1.10': 1.1, '0x1F': 31, true: true, '12345678901234567890': '12345678901234567890' };
  for (const [text, value] of Object.entries(typed)) {
    assert.equal(validate('value: ${env:A}', { A: text }).settings.value, value);
  }
  for (const text of ['{abc}', '[a, b]', 'key: v', '- a', '*abc', 'pa55 #word', '"quoted"']) {
    assert.equal(validate('value: ${env:A}', { A: text }).settings.value, text);
  }
});

test('numbers, truth values, durations and choices may come from a reference, in quotes, too', () => {
  const env = { N: '0x10', B: 'true', D: '200ms', M: 'true' };
  for (const [tag, quote] of [
    ['', ''],
    ['', '"'],
    ['!!str ', ''],
  ]) {
    const of = (name: string) => `${tag}${quote}\${env:${name}}${quote}`;
    const text = `whole: ${of('N')}\nflag: ${of('B')}\nduration: ${of('D')}\nmode: ${of('M')}\nnumbers:\n  - ${of('N')}`;
    const { settings, problems } = validate(text, env);
    assert.deepEqual(problems, []);
    const { whole, flag, duration, mode, numbers } = settings;
    assert.deepEqual([whole, flag, duration, mode, numbers], [16, true, 200, 'true', [16]]);
  }
});

test('a list or map comes from a reference without quotes only', () => {
  const env = { L: '[a, 012]', M: '{k: 012, l: "x"}' };
  const { settings } = validate('list: ${env:L}\nmap: ${env:M}', env);
  assert.deepEqual([settings.list, settings.map], [['a', '012'], { k: '012', l: 'x' }]);
  assert.deepEqual(validate('list: "${env:L}"', env).problems, [
    'c.yaml:1:7: list: expected a list of texts, found a text from ${env:L}',
  ]);
});

test('a message shows neither what a reference gave nor a secret', () => {
  const env = { S: 's3cret', L: '[s3cret, {s3cret: s3cret}]', N: '815' };
  const text = `
whole: \${env:S}
flag: "x \${env:S}"
duration: \${env:S:-s3cret}
list: \${env:L}
map: s3cret
mode: \${env:S}
url: \${env:S}
endpoint: me:s3cret@host
secret: s3cret
`;
  const { problems } = validate(text, env);
  assert.equal(problems.length, 9);
  for (const problem of problems) assert.doesNotMatch(problem, /s3cret/u);
  assert.match(problems[0] ?? '', /whole: expected a whole number, found a text from \$\{env:S\}$/u);
  assert.match(validate('secret: x815').problems[0] ?? '', /expected a whole number, found a text$/u);
  assert.match(validate('map: {k: 815}').problems[0] ?? '', /found a map with a number$/u);
});

test('an address or a path in which a reference gives nothing is an error, with what to do', () => {
  for (const [key, written] of [
    ['endpoint', '${env:HOST}:4317'],
    ['target', '${env:HOST}'],
    ['target', '"${HOST}"'],
    ['url', 'http://${env:HOST}/x'],
    ['path', '${env:HOST}/proc'],
  ]) {
    const [problem = ''] = validate(`${key}: ${written}`, { HOST: '' }).problems;
    const pattern =
      /found nothing in \$\{(?:env:)?HOST\}; set the variable or give a default, as in \$\{(?:env:)?HOST:-VALUE\}$/u;
    assert.match(problem, pattern);
  }
  assert.equal(validate('endpoint: ${env:HOST:-}:4317').settings.endpoint, ':4317');
});

test('a reference that gives nothing is an empty text, and otherwise means the default', () => {
  const { settings, problems } = validate(
    'text: ${env:X}\nwhole: ${env:X}\nlist: ${env:X}\nmap: {k: "${env:X}"}',
  );
  assert.deepEqual(problems, []);
  const { text, whole, list, map } = settings;
  assert.deepEqual([text, whole, list, map], ['', 7, [], { k: '' }]);
});
