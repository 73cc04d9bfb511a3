import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyActions, checkActions, type AttributeAction } from './attribute-actions.js';

const actionOf = (action: Partial<AttributeAction>): AttributeAction => ({
  action: 'upsert',
  key: 'a',
  value: null,
  from_attribute: null,
  ...action,
});

test('applyActions sets an attribute, when insert finds none', () => {
  const insert = actionOf({ action: 'insert', value: 7 });
  assert.deepEqual(applyActions({ b: 'x' }, [insert]), { b: 'x', a: 7 });
  assert.deepEqual(applyActions({ a: 'old' }, [insert]), { a: 'old' });
});

test('applyActions changes an attribute, when update finds one', () => {
  const update = actionOf({ action: 'update', value: true });
  assert.deepEqual(applyActions({ a: 'old' }, [update]), { a: true });
  assert.deepEqual(applyActions({}, [update]), {});
});

test('applyActions copies another attribute, when from_attribute is there', () => {
  const upsert = actionOf({ from_attribute: 'b' });
  assert.deepEqual(applyActions({ a: 1, b: 2 }, [upsert]), { a: 2, b: 2 });
  assert.deepEqual(applyActions({ a: 1 }, [upsert]), { a: 1 });
});

test('applyActions renames, when an insert is followed by a delete', () => {
  const actions = [
    actionOf({ action: 'insert', key: 'new', from_attribute: 'old' }),
    actionOf({ action: 'delete', key: 'old' }),
  ];
  assert.deepEqual(applyActions({ old: 'x', other: 1 }, actions), { other: 1, new: 'x' });
});

test('applyActions replaces a value by its SHA-256, when it is to be hashed', () => {
  assert.deepEqual(applyActions({ a: 'abc' }, [actionOf({ action: 'hash' })]), {
    a: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  });
});

test('applyActions gives the same object, when nothing changes', () => {
  const attributes = { a: 'x' };
  const actions = [
    actionOf({ value: 'x' }),
    actionOf({ action: 'delete', key: 'b' }),
    actionOf({ action: 'hash', key: 'b' }),
    actionOf({ action: 'update', key: 'constructor', value: 'x' }),
  ];
  assert.equal(applyActions(attributes, actions), attributes);
});

test('checkActions names every action that cannot work', () => {
  const actions = [
    actionOf({ key: '', value: 1 }),
    actionOf({}),
    actionOf({ value: 1, from_attribute: 'b' }),
    actionOf({ action: 'delete', value: 1 }),
    actionOf({ action: 'delete' }),
    actionOf({ value: '' }),
  ];
  assert.deepEqual(checkActions(actions, 'actions'), [
    'actions[0].key: not set, expected the name of an attribute',
    'actions[1]: found none, expected "value" or "from_attribute"',
    'actions[2]: found both, expected "value" or "from_attribute"',
    'actions[3]: "delete" takes neither "value" nor "from_attribute"',
  ]);
});
