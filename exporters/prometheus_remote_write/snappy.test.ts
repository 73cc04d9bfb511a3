import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { holdsFor } from '../../src/testing/property.fixture.js';
import { uncompress } from './decode.fixture.js';
import { compressSnappy } from './snappy.js';

async function check(bytes: Uint8Array): Promise<number> {
  const block = await compressSnappy(bytes);
  assert.deepEqual(Buffer.from(uncompress(block)), Buffer.from(bytes));
  return block.length;
}

test('compressSnappy makes blocks that another decoder reads, of every length around its limits', async () => {
  const text = Buffer.from('hw_energy_joules_total package-0 '.repeat(5000));
  for (const length of [
    0, 1, 3, 14, 15, 16, 17, 59, 60, 61, 64, 255, 256, 257, 65_535, 65_536, 65_537, 150_000,
  ]) {
    const size = await check(text.subarray(0, length));
    if (length > 1000) assert.ok(size < length / 10, `${size} of ${length}`);
  }
});

test('compressSnappy makes bytes that repeat nothing grow by little', async () => {
  let state = 1;
  const noise = Uint8Array.from({ length: 200_000 }, () => (state = (state * 48_271) % 2_147_483_647) >> 8);
  assert.ok((await check(noise)) < 200_000 * 1.001 + 32);
});

test('compressSnappy loses nothing, whatever the bytes', async () => {
  const inputs: Uint8Array[] = [];
  const words = fc.array(fc.constantFrom('a', 'bc', 'def', 'ghijklmnop', '\u0000\u0000'), { maxLength: 400 });
  holdsFor(fc.oneof(fc.uint8Array({ maxLength: 300 }), words), (one) => {
    inputs.push(one instanceof Uint8Array ? one : Buffer.from(one.join('')));
  });
  for (const input of inputs) await check(input);
});
