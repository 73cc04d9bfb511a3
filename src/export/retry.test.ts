import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../config/settings.js';
import { ExportError } from '../errors.js';
import { Backoff, limitRetries, retrySettings } from './retry.js';

const defaults = limitRetries(parseSettings(retrySettings, {}), false);
const busy = new ExportError('busy', { retryable: true });

test('Backoff waits longer each time, up to the maximum interval, as the Collector does', () => {
  const backoff = new Backoff(defaults, () => 0.5);
  const waits = Array.from({ length: 7 }, () => backoff.nextMs(busy, 0));
  assert.deepEqual(waits, [5000, 7500, 11_250, 16_875, 25_312.5, 30_000, 30_000]);
});

test('Backoff randomizes waits by the factor', () => {
  assert.equal(new Backoff(defaults, () => 0).nextMs(busy, 0), 2500);
  assert.equal(new Backoff(defaults, () => 1).nextMs(busy, 0), 7500);
});

test('Backoff waits for the time that the server asks for, if that is longer', () => {
  const waits = [1000, 60_000].map((retryAfterMs) => {
    const error = new ExportError('busy', { retryable: true, retryAfterMs });
    return new Backoff(defaults, () => 0.5).nextMs(error, 0);
  });
  assert.deepEqual(waits, [5000, 60_000]);
});

test('Backoff waits no longer than the rest of the maximum time, and ends after it', () => {
  const later = new ExportError('busy', { retryable: true, retryAfterMs: 3_600_000 });
  const backoff = new Backoff(defaults, () => 0.5);
  assert.equal(backoff.nextMs(busy, 0), 5000);
  assert.equal(backoff.nextMs(later, 1000), 299_000);
  // Timers fire early on a busy thread, but the attempt was still the last one.
  assert.equal(backoff.nextMs(later, 299_990), undefined);
  assert.equal(new Backoff(defaults).nextMs(busy, 300_000), undefined);
});

test('Backoff never ends when the maximum time is 0', () => {
  const config = limitRetries(parseSettings(retrySettings, { max_elapsed_time: 0 }), false);
  assert.equal(new Backoff(config, () => 0.5).nextMs(busy, 1e12), 5000);
});

test('Backoff never ends when requests are stored, unless a maximum time is set', () => {
  const stored = limitRetries(parseSettings(retrySettings, {}), true);
  assert.equal(new Backoff(stored, () => 0.5).nextMs(busy, 1e12), 5000);
  const limited = limitRetries(parseSettings(retrySettings, { max_elapsed_time: '1m' }), true);
  assert.equal(new Backoff(limited).nextMs(busy, 60_000), undefined);
});

test('Backoff allows no second attempt after a permanent failure, and none when disabled', () => {
  const permanent = new ExportError('no', { retryable: false });
  assert.equal(new Backoff(defaults).nextMs(permanent, 0), undefined);
  const off = limitRetries(parseSettings(retrySettings, { enabled: false }), false);
  assert.equal(new Backoff(off).nextMs(busy, 0), undefined);
});
