import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { createOutput } from './output.js';

test('write passes on a text', () => {
  const texts: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      texts.push(text);
      done();
    },
  });
  assert.equal(createOutput(stream).write('one\n'), true);
  assert.deepEqual(texts, ['one\n']);
});

test('write leaves texts out, when the reader is far behind', () => {
  const stream = new Writable({ write() {} });
  const output = createOutput(stream);
  const text = 'x'.repeat(600 * 1024);
  assert.deepEqual([output.write(text), output.write(text), output.write(text)], [true, true, false]);
});

test('write leaves texts out and nothing crashes, when the reader is gone', async () => {
  const stream = new Writable({ write: (_text, _encoding, done) => done(new Error('write EPIPE')) });
  const output = createOutput(stream);
  assert.equal(output.write('one\n'), true);
  await new Promise(setImmediate);
  assert.equal(output.write('two\n'), false);
  assert.equal(createOutput(stream).write('three\n'), false);
  assert.equal(stream.listenerCount('error'), 1);
});

test('write goes on, when the disk was full', async () => {
  const full = Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' });
  const stream = new Writable({ autoDestroy: false, write: (_text, _encoding, done) => done(full) });
  const output = createOutput(stream);
  assert.equal(output.write('one\n'), true);
  await new Promise(setImmediate);
  assert.equal(output.write('two\n'), true);
});
