import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openText } from './content.js';

async function* failAfter(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes;
  throw new Error('the disk is broken');
}

test('openText reports to the reader of a gzip file that the disk failed', async () => {
  const source = failAfter(gzipSync('some text').subarray(0, 12));
  const read = async () => {
    const text = await openText(source);
    if (typeof text !== 'string') for await (const _ of text);
  };
  await assert.rejects(read, /the disk is broken/u);
});
