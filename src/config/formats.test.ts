import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDuration, parseByteSize, parseDuration } from './formats.js';

test('parseDuration gives milliseconds, when the text is a Go duration', () => {
  const examples = {
    '0': 0,
    '1s': 1000,
    '200ms': 200,
    '1m30s': 90_000,
    '20us': 0.02,
    '1.5h': 5_400_000,
    '3ns': 3e-6,
  };
  for (const [text, ms] of Object.entries(examples)) assert.equal(parseDuration(text), ms);
});

test('parseDuration gives nothing, when the text is no Go duration', () => {
  for (const text of ['', '5', '1 s', '-1s', 's', '1d', '1s x']) assert.equal(parseDuration(text), undefined);
});

test('parseByteSize gives bytes, when the text is a size', () => {
  const examples = {
    '1024': 1024,
    '64KiB': 65_536,
    '1.5MiB': 1_572_864,
    '4MB': 4_000_000,
    '2 GiB': 2_147_483_648,
  };
  for (const [text, bytes] of Object.entries(examples)) assert.equal(parseByteSize(text), bytes);
});

test('parseByteSize gives nothing, when the text is no size', () => {
  for (const text of ['', '-1', 'MiB', '1TiB', '1 KiBs']) assert.equal(parseByteSize(text), undefined);
});

test('describeDuration gives the largest unit that needs no fraction', () => {
  assert.deepEqual([0.02, 1, 30_000, 90_000, 3_600_000].map(describeDuration), [
    '20us',
    '1ms',
    '30s',
    '90s',
    '1h',
  ]);
});
