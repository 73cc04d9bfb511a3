import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../testing/fixed-seed.fixture.js';
import { parseEvent } from './event-config.js';

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
