import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkRelabelling, createRelabelling, type RelabelConfig } from './relabel.js';

const defaults: RelabelConfig = {
  source_labels: [],
  separator: ';',
  target_label: null,
  regex: '(.*)',
  modulus: 0,
  replacement: '$1',
  action: 'replace',
};

function relabel(labels: Record<string, string>, ...rules: readonly Partial<RelabelConfig>[]) {
  const changed = createRelabelling(rules.map((rule) => Object.assign({}, defaults, rule)))(
    new Map(Object.entries(labels)),
  );
  return changed && Object.fromEntries(changed);
}

// Inputs and results of Prometheus' own relabelling tests, according to its documentation.
const cases: readonly [
  string,
  Record<string, string>,
  Partial<RelabelConfig>,
  Record<string, string> | undefined,
][] = [
  [
    'replace puts what groups matched into a label',
    { a: 'foo', b: 'bar', c: 'baz' },
    { source_labels: ['a'], target_label: 'd', regex: 'f(.*)', replacement: 'ch${1}-ch${1}' },
    { a: 'foo', b: 'bar', c: 'baz', d: 'choo-choo' },
  ],
  [
    'replace joins labels, also those that are not there',
    { a: 'foo', c: 'baz' },
    { source_labels: ['a', 'b', 'c'], target_label: 'd' },
    { a: 'foo', c: 'baz', d: 'foo;;baz' },
  ],
  [
    'replace changes nothing where nothing matches as a whole',
    { a: 'boo' },
    { source_labels: ['a'], target_label: 'd', regex: 'o' },
    { a: 'boo' },
  ],
  ['replace removes a label by an empty result', { a: 'x' }, { target_label: 'a', replacement: '' }, {}],
  [
    'replace makes the name of the label of groups',
    { a: 'some-name-value' },
    { source_labels: ['a'], regex: 'some-([^-]+)-([^,]+)', replacement: '${2}', target_label: '${1}' },
    { a: 'some-name-value', name: 'value' },
  ],
  [
    'replace takes named groups and dollar signs',
    { a: 'x1' },
    { source_labels: ['a'], regex: '(?P<letter>.)(.)', replacement: '$letter$$${9}', target_label: 'b' },
    { a: 'x1', b: 'x$' },
  ],
  [
    'keep drops what does not match',
    { a: 'foo' },
    { source_labels: ['a'], regex: 'no', action: 'keep' },
    undefined,
  ],
  [
    'keep keeps what matches, with a flag',
    { a: 'foo' },
    { source_labels: ['a'], regex: '(?i)FO+', action: 'keep' },
    { a: 'foo' },
  ],
  [
    'drop drops what matches',
    { a: 'f\no' },
    { source_labels: ['a'], regex: 'f.o', action: 'drop' },
    undefined,
  ],
  [
    'labelmap copies labels',
    { __meta_x: '1', y: '2' },
    { regex: '__meta_(.+)', action: 'labelmap' },
    { __meta_x: '1', y: '2', x: '1' },
  ],
  ['labeldrop removes labels', { a1: '1', b: '2' }, { regex: 'a.*', action: 'labeldrop' }, { b: '2' }],
  ['labelkeep removes the others', { a1: '1', b: '2' }, { regex: 'a.*', action: 'labelkeep' }, { a1: '1' }],
  [
    'lowercase',
    { a: 'Foo' },
    { source_labels: ['a'], target_label: 'b', action: 'lowercase' },
    { a: 'Foo', b: 'foo' },
  ],
  [
    'uppercase',
    { a: 'Foo' },
    { source_labels: ['a'], target_label: 'b', action: 'uppercase' },
    { a: 'Foo', b: 'FOO' },
  ],
  [
    'keepequal',
    { a: 'x', b: 'y' },
    { source_labels: ['a'], target_label: 'b', action: 'keepequal' },
    undefined,
  ],
  [
    'dropequal',
    { a: 'x', b: 'x' },
    { source_labels: ['a'], target_label: 'b', action: 'dropequal' },
    undefined,
  ],
  [
    'hashmod',
    { a: 'foo', b: 'bar', c: 'baz' },
    { source_labels: ['c'], target_label: 'd', action: 'hashmod', modulus: 1000 },
    { a: 'foo', b: 'bar', c: 'baz', d: '976' },
  ],
];

for (const [name, labels, rule, result] of cases) {
  test(`createRelabelling: ${name}`, () => assert.deepEqual(relabel(labels, rule), result));
}

test('createRelabelling applies its rules one after another', () => {
  const rules = [
    { source_labels: ['a'], target_label: 'b', replacement: '$1!' },
    { regex: 'a', action: 'labeldrop' },
  ] as const;
  assert.deepEqual(relabel({ a: 'x' }, ...rules), { b: 'x!' });
});

test('checkRelabelling reports what is wrong with a rule', () => {
  const rules = [
    { ...defaults },
    { ...defaults, action: 'hashmod', target_label: 'a' },
    { ...defaults, action: 'keep', regex: '(' },
    { ...defaults, action: 'labeldrop', regex: 'a' },
  ] as const;
  const problems = checkRelabelling(rules, 'r').map((problem) => problem.replace(/: Invalid.*$/u, ''));
  assert.deepEqual(problems, [
    'r[0].target_label: expected a label for replace, found none',
    'r[1].modulus: expected at least 1, found 0',
    'r[2].source_labels: expected labels for keep, found none',
    'r[2].regex: expected a regular expression, found "("',
  ]);
});
