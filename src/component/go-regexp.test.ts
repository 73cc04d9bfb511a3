import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkGoRegexp, compileGoRegexp, createTextTest } from './go-regexp.js';

/** Expressions, a text that Go finds them in, and one that it does not. */
const expressions = [
  ['a.c', 'xabcx', 'ac'],
  ['(?i)^HW\\.', 'hw.energy', 'xhw.energy'],
  ['(?P<kind>a|b)\\-$', 'x-b-', 'x-b-c'],
  ['\\Ahw\\z', 'hw', 'hw.energy'],
  ['(?m)\\Ab', 'b', 'a\nb'],
  ['^[[:alpha:]_]+$', 'a_b', 'a:'],
  ['^[^[:digit:]]$', 'a', '1'],
  ['^[]a]+$', 'a]', 'b'],
  ['^[^]a]$', 'b', ']'],
  ['^[\\]\\\\A]+$', 'A]\\', 'z'],
  ['^\\x41$', 'A', 'x41'],
] as const;

for (const [source, found, other] of expressions) {
  test(`compileGoRegexp finds ${source} as Go does`, () => {
    const regexp = compileGoRegexp(source);
    assert.deepEqual([regexp.test(found), regexp.test(other)], [true, false]);
  });
}

test('compileGoRegexp keeps the names of groups', () => {
  assert.equal(compileGoRegexp('^(?P<kind>\\w+)').exec('hw.energy')?.groups?.['kind'], 'hw');
});

test('checkGoRegexp names what JavaScript would read as something else', () => {
  for (const [source, what] of [
    ['\\pL', 'expected an escape that JavaScript has, found \\p'],
    ['[\\P{Greek}]', 'expected an escape that JavaScript has, found \\P'],
    ['\\Qa.b\\E', 'expected an escape that JavaScript has, found \\Q'],
    ['\\x{41}', 'expected an escape that JavaScript has, found \\x{'],
    ['[[:alphabet:]]', 'expected a class of ASCII characters, found [:alphabet:]'],
    ['(a', 'Invalid regular expression: /(a/: Unterminated group'],
  ] as const) {
    assert.deepEqual(checkGoRegexp(source, 'include'), [
      `include: expected a regular expression, found "${source}": ${what}`,
    ]);
  }
  assert.deepEqual(checkGoRegexp('\\\\p[\\\\p]', 'include'), []);
});

test('createTextTest compares, or finds anywhere', () => {
  assert.deepEqual(['a.c', 'abc', 'xa.c'].map(createTextTest('a.c', 'strict')), [true, false, false]);
  assert.deepEqual(['a.c', 'abc', 'xa.c', 'ac'].map(createTextTest('a.c', 'regexp')), [
    true,
    true,
    true,
    false,
  ]);
});
