import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeCopy } from './copy-rows.js';

test('encodeCopy writes rows in the binary format of COPY, instants rounded down to microseconds', () => {
  const bytes = encodeCopy({
    points: 2,
    ends: 1,
    times: BigInt64Array.of(946_684_800_000_001_999n, 946_684_799_999_999_999n, 0n),
    values: Float64Array.of(1.5, NaN),
    indexes: Uint32Array.of(1, 0, 0),
    series: [5n, 0x0102_0304_0506_0708n].map((id) => ({ id, text: Buffer.alloc(0) })),
  });
  const expected = [
    '5047434f50590aff0d0a00 00000000 00000000',
    '0003 00000008 0102030405060708 00000008 0000000000000001 00000008 3ff8000000000000',
    '0003 00000008 0000000000000005 00000008 ffffffffffffffff ffffffff',
    'ffff',
  ];
  assert.equal(bytes.toString('hex'), expected.join('').replaceAll(' ', ''));
});
