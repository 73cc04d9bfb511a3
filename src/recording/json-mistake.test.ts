import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../testing/fixed-seed.fixture.js';
import { findJsonMistake } from './json-mistake.js';

test('findJsonMistake finds the first invalid character', () => {
  for (const [json, at] of [
    ['{"a":[}', 6],
    ['{"a" 1}', 5],
    ['{"a":1,}', 7],
    ["{'a':1}", 1],
    ['[1 2]', 3],
    ['[1,]', 3],
    ['[01]', 2],
    ['{"a":"b\nc"}', 5],
    ['{} x', 3],
    ['{"a":tru}', 5],
    ['{"a":1]', 6],
    [']', 0],
  ] as const) {
    assert.equal(findJsonMistake(json), at, json);
  }
});

test('findJsonMistake finds the end of a truncated text', () => {
  for (const json of ['', '{', '{"a"', '{"a":', '[1,', '[[]', ' '])
    assert.equal(findJsonMistake(json), json.length, json);
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('findJsonMistake finds a mistake exactly when JSON.parse throws', () => {
  const characters = fc.constantFrom(...'{}[]",:\\019.-+eEu tfn'.split(''));
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 3 }),
      fc.nat(),
      characters,
      fc.nat(2),
      (json, place, character, removed) => {
        assert.equal(findJsonMistake(json), undefined, json);
        const at = place % (json.length + 1);
        const damaged = json.slice(0, at) + character + json.slice(at + removed);
        assert.equal(findJsonMistake(damaged) === undefined, isJson(damaged), damaged);
      },
    ),
    { numRuns: 2000 },
  );
});
