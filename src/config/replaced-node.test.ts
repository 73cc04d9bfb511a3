import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from './problem.js';
import { describeProblem } from './problem.js';
import { parseConfigText } from './read-yaml.js';
import type { Schema } from '../component/schema.js';
import { judgeSettings } from './settings.js';

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

function judge(text: string, env: Record<string, string> = {}) {
  const problems: Problem[] = [];
  const node = parseConfigText(text, 'c.yaml', { env, onUnset() {} }, problems);
  const settings = judgeSettings(schema, node, '', problems);
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
      const { settings, problems } = judge(`text: ${written}\nmap: {k: "x"}`, { A: text });
      assert.deepEqual([problems, settings.text], [[], text]);
    }
    const { settings } = judge('map:\n  k: ${env:A}\nlist:\n  - ${env:A}\n  - x${env:A}', { A: text });
    assert.deepEqual([settings.map, settings.list], [{ k: text }, [text, `x${text}`]]);
  }
});

test('an attribute value in quotes stays text; without quotes it is a number or a truth value, never more', () => {
  for (const text of texts) {
    for (const written of ['"${env:A}"', '!!str ${env:A}', '! ${env:A}', '!!str "${env:A}"']) {
      assert.equal(judge(`value: ${written}`, { A: text }).settings.value, text);
    }
  }
  const typed = { '1.10': 1.1, '0x1F': 31, true: true, '12345678901234567890': '12345678901234567890' };
  for (const [text, value] of Object.entries(typed)) {
    assert.equal(judge('value: ${env:A}', { A: text }).settings.value, value);
  }
  for (const text of ['{abc}', '[a, b]', 'key: v', '- a', '*abc', 'pa55 #word', '"quoted"']) {
    assert.equal(judge('value: ${env:A}', { A: text }).settings.value, text);
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
    const { settings, problems } = judge(text, env);
    assert.deepEqual(problems, []);
    const { whole, flag, duration, mode, numbers } = settings;
    assert.deepEqual([whole, flag, duration, mode, numbers], [16, true, 200, 'true', [16]]);
  }
});

test('a list or map comes from a reference without quotes only', () => {
  const env = { L: '[a, 012]', M: '{k: 012, l: "x"}' };
  const { settings } = judge('list: ${env:L}\nmap: ${env:M}', env);
  assert.deepEqual([settings.list, settings.map], [['a', '012'], { k: '012', l: 'x' }]);
  assert.deepEqual(judge('list: "${env:L}"', env).problems, [
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
  const { problems } = judge(text, env);
  assert.equal(problems.length, 9);
  for (const problem of problems) assert.doesNotMatch(problem, /s3cret/u);
  assert.match(problems[0] ?? '', /whole: expected a whole number, found a text from \$\{env:S\}$/u);
  assert.match(judge('secret: x815').problems[0] ?? '', /expected a whole number, found a text$/u);
  assert.match(judge('map: {k: 815}').problems[0] ?? '', /found a map with a number$/u);
});

test('an address or a path in which a reference gives nothing is an error, with what to do', () => {
  for (const [key, written] of [
    ['endpoint', '${env:HOST}:4317'],
    ['target', '${env:HOST}'],
    ['target', '"${HOST}"'],
    ['url', 'http://${env:HOST}/x'],
    ['path', '${env:HOST}/proc'],
  ]) {
    const [problem = ''] = judge(`${key}: ${written}`, { HOST: '' }).problems;
    const pattern =
      /found nothing in \$\{(?:env:)?HOST\}; set the variable or give a default, as in \$\{(?:env:)?HOST:-VALUE\}$/u;
    assert.match(problem, pattern);
  }
  assert.equal(judge('endpoint: ${env:HOST:-}:4317').settings.endpoint, ':4317');
});

test('a reference that gives nothing is an empty text, and otherwise means the default', () => {
  const { settings, problems } = judge(
    'text: ${env:X}\nwhole: ${env:X}\nlist: ${env:X}\nmap: {k: "${env:X}"}',
  );
  assert.deepEqual(problems, []);
  const { text, whole, list, map } = settings;
  assert.deepEqual([text, whole, list, map], ['', 7, [], { k: '' }]);
});
