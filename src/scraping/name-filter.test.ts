import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNameFilter, createNamePattern } from './name-filter.js';

test('createNamePattern takes * for any text, and everything else for itself', () => {
  assert.match('a.service', createNamePattern('*.service'));
  assert.match('a(1)-\n.json', createNamePattern('a(1)-*.json'));
  assert.doesNotMatch('a-service', createNamePattern('*.service'));
  assert.doesNotMatch('b.service.d', createNamePattern('*.service'));
});

function select(include: string | null, exclude: string | null): readonly string[] {
  return ['eth0', 'eth1', 'veth2'].filter(createNameFilter({ include, exclude }));
}

test('createNameFilter wants what is included, or everything, and never what is excluded', () => {
  assert.deepEqual(select(null, null), ['eth0', 'eth1', 'veth2']);
  assert.deepEqual(select('^eth', null), ['eth0', 'eth1']);
  assert.deepEqual(select(null, '^veth'), ['eth0', 'eth1']);
  assert.deepEqual(select('eth', '1$'), ['eth0', 'veth2']);
});
