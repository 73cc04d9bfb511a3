import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeControls, formatJson, hasControls } from './escape-controls.js';

test('escapeControls leaves nothing that drives a terminal or breaks a line', () => {
  assert.equal(escapeControls('a\u001b[31mb\nc\u007f\u009b2J\u2028d'), 'a\\x1b[31mb\\nc\\x7f\\x9b2J\\u2028d');
  assert.equal(escapeControls('grün フォ "x" \\'), 'grün フォ "x" \\');
});

test('escapeControls leaves nothing that changes the order of text', () => {
  const bidi = '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069';
  assert.match(bidi, /^\p{Bidi_Control}+$/u);
  assert.match(escapeControls(bidi), /^(\\u[0-9a-f]{4}){12}$/);
  assert.equal(escapeControls('a\u202eb'), String.raw`a\u202eb`);
});

test('formatJson escapes the same characters, as JSON that means the same', () => {
  const value = { 'k\u202e': ['a\u009b2J\n', 'b\u2066', 'é'] };
  const json = formatJson(value);
  assert.equal(hasControls(json.replaceAll('\n', '')), false);
  assert.deepEqual(JSON.parse(json), value);
  assert.match(json, /^\{\n {2}"k\\u202e": \[\n/);
});
