import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessIo } from './process-io.js';

test('ProcessIo reads the bytes transferred from and to storage, not those requested', () => {
  const io = new ProcessIo();
  const text =
    'rchar: 323934931\nwchar: 323929600\nsyscr: 632687\nsyscw: 632675\nread_bytes: 12288\n' +
    'write_bytes: 323932160\ncancelled_write_bytes: 4096\n';
  assert.equal(io.parse(Buffer.from(text)), true);
  assert.deepEqual([io.readBytes, io.writtenBytes], [12_288, 323_932_160]);
});

test('ProcessIo has no values if the file is invalid or could not be read', () => {
  const io = new ProcessIo();
  assert.equal(io.parse(Buffer.from('rchar: 1\nread_bytes: 3\n')), false);
  io.forget();
  assert.deepEqual([io.readBytes, io.writtenBytes], [NaN, NaN]);
});
