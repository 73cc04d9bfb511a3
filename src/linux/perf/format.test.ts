import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../testing/fixed-seed.fixture.js';
import { encodeTerms, parseFieldLayout, type FieldLayout } from './format.js';

const layouts = new Map<string, FieldLayout>([
  [
    'event',
    {
      word: 0,
      ranges: [
        [0, 7],
        [32, 35],
      ],
    },
  ],
  ['inv', { word: 0, ranges: [[23, 23]] }],
  ['ldlat', { word: 1, ranges: [[0, 15]] }],
]);

test('parseFieldLayout understands bits and ranges of every word', () => {
  assert.deepEqual(parseFieldLayout('config:0-7,32-35\n'), {
    word: 0,
    ranges: [
      [0, 7],
      [32, 35],
    ],
  });
  assert.deepEqual(parseFieldLayout('config:23'), { word: 0, ranges: [[23, 23]] });
  assert.deepEqual(parseFieldLayout('config3:0-63'), { word: 3, ranges: [[0, 63]] });
});

test('parseFieldLayout knows nothing else', () => {
  for (const text of ['', 'config', 'config4:0', 'config:7-0', 'config:0-64', 'config:', 'config:1,,2']) {
    assert.equal(parseFieldLayout(text), undefined, text);
  }
});

test('encodeTerms spreads a value over ranges, and the later of two wins', () => {
  const terms = [
    { name: 'event', value: '0x5a3' },
    { name: 'inv', value: undefined },
    { name: 'ldlat', value: '3' },
    { name: 'ldlat', value: '0x1e' },
  ];
  assert.deepEqual(encodeTerms(terms, layouts), [0x5_0080_00a3n, 30n, 0n, 0n]);
});

test('encodeTerms sets whole words', () => {
  const terms = [
    { name: 'config', value: '0xffffffffffffffff' },
    { name: 'config2', value: '12' },
  ];
  assert.deepEqual(encodeTerms(terms, layouts), [0xffff_ffff_ffff_ffffn, 0n, 12n, 0n]);
});

const encode = (name: string, value?: string) => encodeTerms([{ name, value }], layouts);

test('encodeTerms says which term is wrong', () => {
  assert.throws(() => encode('evnt', '1'), /expected one of event, inv, ldlat, config.*, found "evnt"/);
  assert.throws(
    () => encode('event', 'x'),
    /expected a decimal or hexadecimal number of at most 64 bits, found "event=x"/,
  );
  assert.throws(() => encode('inv', '2'), /expected at most 0x1, found "inv=0x2"/);
  assert.throws(() => encode('config', '0x10000000000000000'), /at most 64 bits/);
});

test('encodeTerms keeps every bit of a value, whatever the layout', () => {
  const bits = fc.uniqueArray(fc.nat(63), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(bits, fc.bigInt(0n, 2n ** 12n - 1n), (places, any) => {
      const value = any & ((1n << BigInt(places.length)) - 1n);
      const layout: FieldLayout = { word: 0, ranges: places.map((place) => [place, place]) };
      const [word] = encodeTerms([{ name: 'x', value: String(value) }], new Map([['x', layout]]));
      const back = places.reduce((sum, place, i) => sum | (((word >> BigInt(place)) & 1n) << BigInt(i)), 0n);
      assert.equal(back, value);
    }),
  );
});
