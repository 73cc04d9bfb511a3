import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderLabels, SharedTexts } from './labels.js';

test('renderLabels sorts labels by name, whatever the order of the attributes', () => {
  assert.equal(renderLabels({ b: 1, a: true }), '{a="true",b="1"}');
  assert.equal(renderLabels({ a: true, b: 1 }), '{a="true",b="1"}');
  assert.equal(renderLabels({}), '');
});

test('renderLabels escapes backslash, line feed and double quote', () => {
  assert.equal(renderLabels({ a: 'x\\y\nz"' }), '{a="x\\\\y\\nz\\""}');
});

test('renderLabels joins values, when names become the same label', () => {
  assert.equal(renderLabels({ 'a.b': 'one', a_b: 'two', 'a-b': 'three' }), '{a_b="three;one;two"}');
});

test('renderLabels leaves out empty values, which are no labels in Prometheus', () => {
  assert.equal(renderLabels({ a: '', b: 'x' }), '{b="x"}');
  assert.equal(renderLabels({ a: '' }), '');
});

test('SharedTexts keeps a text until each of its users has released it', () => {
  const texts = new SharedTexts();
  assert.equal(texts.size, 0);
  for (const text of ['a', 'a', 'b']) assert.equal(texts.take(text), text);
  texts.release('a');
  texts.release('b');
  assert.equal(texts.size, 1);
  texts.release('a');
  texts.release('unknown');
  assert.equal(texts.size, 0);
});
