import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { holdsFor, textOf } from '../testing/property.fixture.js';
import { parseRetryAfterMs } from './http-answers.js';

const nowMs = Date.parse('2026-11-21T12:00:00Z');

test('parseRetryAfterMs reads seconds and dates', () => {
  const headers = [
    '120',
    'Sat, 21 Nov 2026 12:00:30 GMT',
    'Sat, 21 Nov 2026 11:00:00 GMT',
    '0',
    'soon',
    undefined,
  ];
  assert.deepEqual(
    headers.map((header) => parseRetryAfterMs(header, nowMs)),
    [120_000, 30_000, undefined, undefined, undefined, undefined],
  );
});

test('parseRetryAfterMs reads back future seconds and dates', () => {
  holdsFor(fc.integer({ min: 1, max: 10_000_000 }), (seconds) => {
    assert.equal(parseRetryAfterMs(`${seconds}`, nowMs), seconds * 1000);
    assert.equal(parseRetryAfterMs(new Date(nowMs + seconds * 1000).toUTCString(), nowMs), seconds * 1000);
    assert.equal(parseRetryAfterMs(new Date(nowMs - seconds * 1000).toUTCString(), nowMs), undefined);
  });
});

test('parseRetryAfterMs returns a time suitable for a timer, or undefined, for any header', () => {
  const digits = textOf('0123456789', 400);
  const dates = textOf('0123456789- :,GMTNovSat+', 30);
  holdsFor(fc.oneof(fc.string(), digits, dates), (header) => {
    const ms = parseRetryAfterMs(header, nowMs);
    assert.ok(ms === undefined || (ms > 0 && Number.isFinite(ms)), `${ms}`);
  });
});
