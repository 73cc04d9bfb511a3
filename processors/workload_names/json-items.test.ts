import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/recording/otlp-json.js';
import { fc } from '../../src/testing/fixed-seed.fixture.js';
import { holdsFor } from '../../src/testing/property.fixture.js';
import { itemDepths, JsonItems } from './json-items.js';

/** The items of a text that arrives in chunks of these sizes, and the text outside of them. */
function split(depth: number, text: string, size = 3) {
  const items: JsonObject[] = [];
  const splitter = new JsonItems(depth, (item) => items.push(item));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
  return { items, rest: splitter.finish() };
}

test('JsonItems parses the items of each kind of text when it arrives in pieces', () => {
  const items = [{ a: '}"]\\', b: [{ c: {} }] }, { ö: '€{' }, {}];
  assert.deepEqual(split(itemDepths.list, JSON.stringify(items)).items, items);
  assert.deepEqual(
    split(itemDepths.stream, items.map((item) => JSON.stringify(item)).join('\n')).items,
    items,
  );
  const list = { kind: 'PodList', metadata: { resourceVersion: '7' }, items };
  const found = split(itemDepths.kubernetesList, JSON.stringify(list));
  assert.deepEqual(found.items, items);
  assert.deepEqual(found.rest, { ...list, items: [0, 0, 0] });
});

test('JsonItems finds what JSON.parse finds for any list', () => {
  const list = fc.record({
    items: fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
    size: fc.integer({ min: 1, max: 99 }),
  });
  holdsFor(list, ({ items, size }) => {
    const text = JSON.stringify(items);
    assert.deepEqual(split(itemDepths.list, text, size).items, JSON.parse(text));
  });
});

for (const [what, depth, text] of [
  ['is not JSON', itemDepths.list, '<html>'],
  ['has no end', itemDepths.list, '[{"a":1}'],
  ['has another bracket', itemDepths.list, '[{"a":1]}'],
  ['has an item that is not JSON', itemDepths.list, '[{a}]'],
  ['has something between its objects', itemDepths.stream, '{} a {}'],
] as const) {
  test(`JsonItems throws if the text ${what}`, () => {
    assert.throws(() => split(depth, text), /^Error: expected /);
  });
}

test('JsonItems throws if an item or the text around it is truncated', () => {
  const endless = Buffer.alloc(1024 * 1024, ' ');
  for (const begin of ['[{"a":', '[']) {
    const splitter = new JsonItems(itemDepths.list, () => undefined);
    splitter.push(Buffer.from(begin));
    assert.throws(() => {
      for (;;) splitter.push(endless);
    }, /expected JSON with items of at most 4194304 bytes/);
  }
});
