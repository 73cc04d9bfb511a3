import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../testing/fixed-seed.fixture.js';
import { encodeTerms, parseEvent, parseFieldLayout, type FieldLayout } from './format.js';

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

test('encodeTerms reports which term is wrong', () => {
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

test('parseEvent takes hexadecimal numbers of any length, decimal ones and several terms', () => {
  assert.equal(parseEvent('event=0x02'), 2);
  assert.equal(parseEvent('event=0x2\n'), 2);
  assert.equal(parseEvent('event=0xFF,umask=0x1'), 0x1ff);
  assert.equal(parseEvent('umask=3,event=17'), 0x311);
  assert.equal(parseEvent('config=0x1234'), 0x1234);
});

test("parseEvent puts terms where the PMU's formats say", () => {
  assert.equal(parseEvent('event=0x102', { event: 'config:0-7,32-35' }), 2 + 2 ** 32);
  assert.equal(parseEvent('event=1,top', { top: 'config:63' }), 2n ** 63n + 1n);
});

test('parseEvent finds nothing in what is no event of the PMU', () => {
  for (const text of [
    '',
    'N/A',
    'event=',
    'event=0x',
    'event=-1',
    'event=1.5',
    'event=0x100',
    'event=1,other=2',
    'umask',
    '=1',
  ]) {
    assert.equal(parseEvent(text === 'umask' ? 'umask=0x100' : text), undefined, text);
  }
  assert.equal(parseEvent('event=1,extra=1', { extra: 'config1:0-7' }), undefined);
});

test('parseEvent gives back what was written, in whatever way', () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const write = fc.constantFrom(
    (value: number) => String(value),
    (value: number) => `0x${value.toString(16)}`,
    (value: number) => `0x${value.toString(16).toUpperCase().padStart(4, '0')}`,
  );
  fc.assert(
    fc.property(byte, byte, write, fc.boolean(), (event, umask, text, isSwapped) => {
      const terms = [`event=${text(event)}`, `umask=${text(umask)}`];
      assert.equal(parseEvent((isSwapped ? terms.toReversed() : terms).join(',')), event + 256 * umask);
    }),
  );
});

test('parseEvent never throws', () => {
  fc.assert(
    fc.property(fc.string(), fc.dictionary(fc.string(), fc.string()), (text, formats) => {
      const config = parseEvent(text, formats);
      assert.ok(config === undefined || config >= 0);
    }),
  );
});
