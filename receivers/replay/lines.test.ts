import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLines } from './recorded-file.js';

async function* endlessZeros(): AsyncIterable<Buffer> {
  const zeros = Buffer.alloc(2 ** 20);
  for (;;) yield zeros;
}

async function readAll(): Promise<void> {
  for await (const _ of readLines(endlessZeros()));
}

test('readLines gives up where there is no line break for 64 MiB', async () => {
  await assert.rejects(readAll, new Error('expected lines of at most 64 MiB, found a longer one'));
});
