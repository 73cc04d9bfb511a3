import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalizeId, parseComponentId } from './components.js';

const type = 'expected a component type of letters, digits and underscores after a first letter, found';
const name = 'expected a component name of 1 to 1024 characters without spaces and symbols, found';

test('parseComponentId takes a type, and any name after the first slash, without spaces around them', () => {
  for (const [text, id, typeOfIt] of [
    ['rapl', 'rapl', 'rapl'],
    ['A_1', 'A_1', 'A_1'],
    [' rapl / second ', 'rapl/second', 'rapl'],
    ['rapl/a/b', 'rapl/a/b', 'rapl'],
    ['rapl/é-.@', 'rapl/é-.@', 'rapl'],
    [`a${'b'.repeat(62)}`, `a${'b'.repeat(62)}`, `a${'b'.repeat(62)}`],
    [`a/${'b'.repeat(1024)}`, `a/${'b'.repeat(1024)}`, 'a'],
  ] as const) {
    assert.deepEqual(parseComponentId(text), { id, type: typeOfIt });
    assert.equal(normalizeId(text), id);
  }
});

test('parseComponentId reports which part of an id is wrong', () => {
  const long = 'a'.repeat(64);
  for (const [text, message] of Object.entries({
    '': `${type} ""`,
    '/a': `${type} ""`,
    '1a': `${type} "1a"`,
    _a: `${type} "_a"`,
    'a b': `${type} "a b"`,
    'é/a': `${type} "é"`,
    [long]: `${type} "${long}"`,
    'a/': `${name} ""`,
    'a/\t': `${name} ""`,
    'a/b c': `${name} "b c"`,
    'a/b+c': `${name} "b+c"`,
    'a/€': `${name} "€"`,
    [`a/${'b'.repeat(1025)}`]: `${name} "${'b'.repeat(1025)}"`,
  }))
    assert.throws(() => parseComponentId(text), { message });
});
