import assert from 'node:assert/strict';
import { test } from 'node:test';
import original from 'koffi';
import { koffi } from './koffi.js';

test('koffi is the addon that the package of this name gives to others', () => {
  assert.equal(koffi.alloc, original.alloc);
  assert.equal(koffi.sizeof('long'), 8);
});
