import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../testing/fixed-seed.fixture.js';
import { describeNode, findEntry, mergeNodes, nodeOf, plainOf, type ConfigNode } from './node.js';
import { ConfigurationError, describeProblem } from './problem.js';

/** What a configuration can hold, with keys that objects have of their own. */
const anyPlain = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom('a', 'b', 'toString', 'constructor'), fc.string()), tie('value'), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  ),
})).value;

test('plainOf gives back what nodeOf took', () => {
  fc.assert(
    fc.property(anyPlain, (value) => {
      assert.deepEqual(plainOf(nodeOf(value)), value);
    }),
  );
});

test('nodeOf takes what YAML has no word for as nothing', () => {
  for (const value of [undefined, () => 1, Symbol('a'), 1n]) assert.equal(plainOf(nodeOf(value)), null);
});

const merge = (under: unknown, over: unknown) => plainOf(mergeNodes(nodeOf(under), nodeOf(over)));

test('mergeNodes merges maps key by key and replaces everything else, as the Collector does', () => {
  assert.deepEqual(merge({ a: { b: 1, c: [1, 2] }, d: 2 }, { a: { c: [3] }, e: null }), {
    a: { b: 1, c: [3] },
    d: 2,
    e: null,
  });
  assert.deepEqual(merge({ a: { b: 1 } }, { a: null }), { a: null });
  assert.deepEqual(merge({ a: 1 }, { a: { b: 1 } }), { a: { b: 1 } });
  assert.deepEqual(merge([1], { a: 1 }), { a: 1 });
});

test('mergeNodes changes neither side, has all keys of both, and nothing to add to itself', () => {
  fc.assert(
    fc.property(anyPlain, anyPlain, (under, over) => {
      const [one, other] = [nodeOf(under), nodeOf(over)];
      const merged = mergeNodes(one, other);
      assert.deepEqual([plainOf(one), plainOf(other)], [under, over]);
      assert.deepEqual(plainOf(mergeNodes(merged, other)), plainOf(merged));
      assert.deepEqual(plainOf(mergeNodes(one, one)), under);
      if (one.kind !== 'map' || other.kind !== 'map' || merged.kind !== 'map') return;
      assert.deepEqual(
        new Set(merged.entries.keys()),
        new Set([...one.entries.keys(), ...other.entries.keys()]),
      );
    }),
  );
});

test('mergeNodes takes places from where the value was written last', () => {
  const under = nodeOf({ a: 1, b: 1 }, { source: 'a.yaml', line: 1 });
  const merged = mergeNodes(under, nodeOf({ b: 2 }, { source: 'b.yaml', line: 7 }));
  assert.deepEqual(
    ['a', 'b'].map((key) => findEntry(merged, key)?.origin),
    [
      { source: 'a.yaml', line: 1 },
      { source: 'b.yaml', line: 7 },
    ],
  );
});

test('findEntry finds keys of a map alone, and none that every object has', () => {
  assert.equal(findEntry(nodeOf({ a: 1 }), 'toString'), undefined);
  assert.equal(findEntry(nodeOf(['a']), '0'), undefined);
  assert.equal(findEntry(undefined, 'a'), undefined);
});

function replaced(node: ConfigNode, empty: readonly string[] = []): ConfigNode {
  const references = ['${env:A}', '${file:b}'];
  return { ...node, replaced: { text: 's3cret', references, empty } };
}

test('describeNode shows a value, and of a secret or a reference only its kind', () => {
  for (const [value, expected] of [
    ['x', 'the text "x"'],
    [7, 'the number 7'],
    [true, 'true'],
    [null, 'nothing'],
    ['http://me:s3cret@host/', 'the text "http://****@host/"'],
  ] as const) {
    const text = describeNode(nodeOf(value));
    assert.ok(!text.includes('s3cret'), text);
    if (!String(value).includes('s3cret')) assert.equal(text, expected);
  }
  assert.deepEqual(
    ['s3cret', 7, true, null].map((value) => describeNode(nodeOf(value), { isSecret: true })),
    ['a text', 'a number', 'a boolean', 'nothing'],
  );
  assert.equal(describeNode(replaced(nodeOf('s3cret'))), 'a text from ${env:A} and ${file:b}');
  assert.equal(describeNode(replaced(nodeOf({ a: 's3cret' }))), 'a map from ${env:A} and ${file:b}');
  assert.match(describeNode(replaced(nodeOf(null), ['${env:A}'])), /\$\{env:A\}/u);
});

function listOf(items: readonly unknown[], wantedItem?: 'number'): string {
  return describeNode(nodeOf(items), { wantedItem });
}

test('describeNode names the first item of another type, and shows no secret', () => {
  assert.equal(listOf(['a', 7, true]), 'a list with the number 7');
  assert.equal(listOf([1, 'a'], 'number'), 'a list with the text "a"');
  assert.equal(listOf(['a', ['b']]), 'a list with a list');
  assert.equal(describeNode(nodeOf({ a: 'x', b: { c: 1 } })), 'a map with a map');
  assert.ok(!describeNode(nodeOf(['a', 7]), { isSecret: true }).includes('7'));
});

test('describeProblem leaves out what is not known of the place', () => {
  const message = 'unknown setting';
  for (const [problem, expected] of [
    [{ path: '', message }, 'unknown setting'],
    [{ path: 'a.b', message }, 'a.b: unknown setting'],
    [{ origin: { source: '--set a' }, path: 'a', message }, '--set a: a: unknown setting'],
    [{ origin: { source: 'c.yaml', line: 3 }, path: 'a', message }, 'c.yaml:3: a: unknown setting'],
    [{ origin: { source: 'c.yaml', line: 3, column: 5 }, path: '', message }, 'c.yaml:3:5: unknown setting'],
  ] as const) {
    assert.equal(describeProblem(problem), expected);
  }
  const error = new ConfigurationError([
    { path: 'a', message },
    { path: 'b', message },
  ]);
  assert.equal(error.message, 'a: unknown setting\nb: unknown setting');
});
