import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findModulusNj } from './wrap-modulus.js';

test('findModulusNj finds the unit as the kernel rounds it', () => {
  // 2^-14 J, 2^-16 J, the DRAM of Intel servers, psys of 1 J.
  assert.equal(findModulusNj(262_143_328_850), 2n ** 32n * 61_035n);
  assert.equal(findModulusNj(65_532_610_987), 2n ** 32n * 15_258n);
  assert.equal(findModulusNj(65_712_999_613), 2n ** 32n * 15_300n);
  assert.equal(findModulusNj(4_294_967_295_000_000), 2n ** 32n * 1_000_000_000n);
});

test('findModulusNj finds a unit that is a power of two of a joule', () => {
  assert.equal(findModulusNj(262_143_999_938), 2n ** 18n * 1_000_000_000n);
  assert.equal(findModulusNj(65_535_999_984), 2n ** 16n * 1_000_000_000n);
});

test('findModulusNj takes one unit of about the size for a range that it cannot explain', () => {
  assert.equal(findModulusNj(999_999), 1_000_000_000n);
  assert.equal(findModulusNj(262_143_328_123), 262_143_328_184_000n);
});
