import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeGroup, findAttribute, hasAttributes } from './group.js';

const host = { attributes: { 'host.name': 'node-1' } };
const series = {
  attributes: { kind: 'own', zero: 0, no: false, empty: '' },
  resource: { attributes: { 'host.name': 'node-1', kind: 'shared', 'process.pid': 7, isBusy: true } },
};

test('findAttribute prefers the attribute of the series to that of its resource', () => {
  assert.equal(findAttribute(series, 'kind'), 'own');
  assert.equal(findAttribute(series, 'process.pid'), 7);
  assert.equal(findAttribute(series, 'missing'), undefined);
});

test('findAttribute finds values that are false, 0 or empty', () => {
  assert.deepEqual(
    ['zero', 'no', 'empty'].map((name) => findAttribute(series, name)),
    [0, false, ''],
  );
});

test('hasAttributes compares values as texts, and requires all of them', () => {
  assert.ok(hasAttributes(series, { 'process.pid': '7', isBusy: 'true', zero: '0' }));
  assert.ok(!hasAttributes(series, { 'process.pid': '7', isBusy: 'false' }));
  assert.ok(!hasAttributes(series, { kind: 'shared' }));
  assert.ok(!hasAttributes(series, { missing: '' }));
  assert.ok(hasAttributes(series, {}));
});

test('describeGroup gives groups without attributes of a resource the resource of the host itself', () => {
  const group = describeGroup(series, ['kind', 'missing'], host);
  assert.equal(group.resource, host);
  assert.deepEqual(group.attributes, { kind: 'own' });
});

test('describeGroup adds attributes of the resource to those of the host', () => {
  const group = describeGroup(series, ['process.pid', 'zero'], host);
  assert.deepEqual(group.resource.attributes, { 'host.name': 'node-1', 'process.pid': 7 });
  assert.deepEqual(group.attributes, { zero: 0 });
  assert.deepEqual(host.attributes, { 'host.name': 'node-1' });
});

test('describeGroup keeps an attribute that series and resource have on the series only', () => {
  const group = describeGroup(series, ['kind', 'process.pid'], host);
  assert.deepEqual(group.attributes, { kind: 'own' });
  assert.ok(!('kind' in group.resource.attributes));
});
