import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeControls, escapeLines } from './escape-controls.js';

test('escapeControls leaves nothing that drives a terminal or breaks a line', () => {
  assert.equal(escapeControls('a\u001b[31mb\nc\u007f\u009b2J\u2028d'), 'a\\x1b[31mb\\nc\\x7f\\x9b2J\\u2028d');
  assert.equal(escapeControls('a\u202egpj.exe\u2066b\u061c'), 'a\\u202egpj.exe\\u2066b\\u061c');
  assert.equal(escapeControls('grün フォ "x" \\'), 'grün フォ "x" \\');
});

test('escapeLines keeps line ends only', () => {
  assert.equal(escapeLines('a\nb\r\tc\u001b]0;x\u0007\n'), 'a\nb\\x0d\\x09c\\x1b]0;x\\x07\n');
});
