import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteCache, Span } from './byte-cache.js';

const owner = {};

/** A span of these bytes, which begin at an odd address. */
function spanOf(bytes: readonly number[]): Span {
  const all = Uint8Array.from([99, ...bytes, 99]);
  const span = new Span();
  span.add(new DataView(all.buffer), 1, all.length - 1);
  return span;
}

/** The four bytes of a number, followed by further bytes. */
function bytesOf(number: number, more: number): readonly number[] {
  const tail = Array.from({ length: more }, (_, i) => i);
  return [number & 255, (number >> 8) & 255, (number >> 16) & 255, number >> 24, ...tail];
}

test('ByteCache.find distinguishes bytes that differ anywhere, or only in length', () => {
  for (let length = 0; length < 10; length += 1) {
    const bytes = Array.from({ length }, (_, i) => i + 1);
    const cache = new ByteCache<string>();
    cache.add(owner, spanOf(bytes), 'first');
    assert.equal(cache.find(owner, spanOf(bytes))?.value, 'first');
    assert.equal(cache.find({}, spanOf(bytes)), undefined);
    assert.equal(cache.find(owner, spanOf([...bytes, 0])), undefined);
    for (let at = 0; at < length; at += 1) {
      assert.equal(cache.find(owner, spanOf(bytes.with(at, 0))), undefined);
      assert.equal(cache.find(owner, spanOf(bytes.toSpliced(at, 1))), undefined);
    }
  }
});

test('ByteCache.find distinguishes kinds', () => {
  const cache = new ByteCache<string>();
  cache.add(owner, spanOf([1]), 'first');
  const other = spanOf([1]);
  other.kind = 3;
  assert.equal(cache.find(owner, other), undefined);
});

test('ByteCache.expect finds only the entry that followed the last time', () => {
  const cache = new ByteCache<number>();
  for (const number of [1, 2, 3]) cache.add(owner, spanOf([number]), number);
  assert.equal(cache.expect(owner, spanOf([1])), undefined);
  cache.find(owner, spanOf([1]));
  assert.equal(cache.expect(owner, spanOf([3])), undefined);
  assert.equal(cache.expect(owner, spanOf([2]))?.value, 2);
  assert.equal(cache.expect(owner, spanOf([3]))?.value, 3);
});

test('ByteCache finds the remaining entries when most were removed, and those added afterwards', () => {
  const cache = new ByteCache<number>();
  const add = (number: number) => cache.add(owner, spanOf(bytesOf(number, number % 9)), number);
  const find = (number: number) => cache.find(owner, spanOf(bytesOf(number, number % 9)))?.value;
  const entries = Array.from({ length: 5000 }, (_, number) => add(number));
  for (const entry of entries) if (entry.value % 10 !== 0) cache.delete(entry);
  for (let number = 5000; number < 9000; number += 1) add(number);
  for (let number = 0; number < 9000; number += 1)
    assert.equal(find(number), number < 5000 && number % 10 !== 0 ? undefined : number);
});

test('Span.add joins bytes that are not adjacent', () => {
  const bytes = Uint8Array.from({ length: 3000 }, (_, i) => i % 251);
  const view = new DataView(bytes.buffer, 100, 2000);
  const span = new Span();
  for (const from of [0, 5, 700, 1000]) span.add(view, from, from + 5);
  span.add(view, 10, 1990);
  const expected = [0, 5, 700, 1000, 10].map((from) =>
    bytes.subarray(100 + from, from === 10 ? 2090 : 105 + from),
  );
  assert.deepEqual(Buffer.from(span.copy()), Buffer.concat(expected));
  span.clear();
  assert.ok(span.isEmpty);
});
