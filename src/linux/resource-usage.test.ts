import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPeakRssBytes } from './resource-usage.js';

test('findPeakRssBytes gives what this process has had', () => {
  const peak = findPeakRssBytes(process.pid) ?? 0;
  assert.ok(peak > 10e6 && peak >= 0.9 * process.memoryUsage.rss(), `${peak}`);
});

test('findPeakRssBytes finds nothing, when there is no such process', () => {
  assert.equal(findPeakRssBytes(2 ** 30), undefined);
});
