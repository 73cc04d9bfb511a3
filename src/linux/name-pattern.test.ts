import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNamePattern } from './name-pattern.js';

test('createNamePattern takes * for any text, and everything else for itself', () => {
  assert.match('a.service', createNamePattern('*.service'));
  assert.match('a(1)-\n.json', createNamePattern('a(1)-*.json'));
  assert.doesNotMatch('a-service', createNamePattern('*.service'));
  assert.doesNotMatch('b.service.d', createNamePattern('*.service'));
});
