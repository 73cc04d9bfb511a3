import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import {
  createOutput,
  escapeControls,
  formatJson,
  formatRatio,
  formatSize,
  formatValue,
  hasControls,
} from './output.js';

test('write passes on a text', () => {
  const texts: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      texts.push(text);
      done();
    },
  });
  assert.equal(createOutput(stream).write('one\n'), true);
  assert.deepEqual(texts, ['one\n']);
});

test('write leaves texts out, when the reader is far behind', () => {
  const stream = new Writable({ write() {} });
  const output = createOutput(stream);
  const text = 'x'.repeat(600 * 1024);
  assert.deepEqual([output.write(text), output.write(text), output.write(text)], [true, true, false]);
});

test('write leaves texts out and nothing crashes, when the reader is gone', async () => {
  const stream = new Writable({ write: (_text, _encoding, done) => done(new Error('write EPIPE')) });
  const output = createOutput(stream);
  assert.equal(output.write('one\n'), true);
  await new Promise(setImmediate);
  assert.equal(output.write('two\n'), false);
  assert.equal(createOutput(stream).write('three\n'), false);
  assert.equal(stream.listenerCount('error'), 1);
});

test('write continues, when the disk was full', async () => {
  const full = Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' });
  const stream = new Writable({ autoDestroy: false, write: (_text, _encoding, done) => done(full) });
  const output = createOutput(stream);
  assert.equal(output.write('one\n'), true);
  await new Promise(setImmediate);
  assert.equal(output.write('two\n'), true);
});

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

test('formatValue shows four digits and a prefix that suits them', () => {
  const expected: readonly (readonly [number, string])[] = [
    [0, '0 J'],
    [1e-9, '0 J'],
    [0.000012345, '12.35 µJ'],
    [0.0123456, '12.35 mJ'],
    [0.5, '500.0 mJ'],
    [1.23456, '1.235 J'],
    [12.3456, '12.35 J'],
    [123.456, '123.5 J'],
    [1234.56, '1.235 kJ'],
    [1_234_567, '1.235 MJ'],
    [1.5e10, '15.00 GJ'],
    [1.5e13, '15000 GJ'],
    [-3.456, '-3.456 J'],
  ];
  for (const [value, text] of expected) assert.equal(formatValue(value, 'J'), text);
});

test('formatValue goes to the next prefix, when rounding reaches it', () => {
  assert.equal(formatValue(0.99999, 'W'), '1.000 W');
  assert.equal(formatValue(999.96, 'W'), '1.000 kW');
  assert.equal(formatValue(999.94, 'W'), '999.9 W');
  assert.equal(formatValue(-0.5, 'J'), '-500.0 mJ');
  for (let value = 1e-6; value < 1e9; value *= 1.0001) {
    assert.match(formatValue(value, 'W'), /^(\d\.\d{3}|\d\d\.\d\d|\d{3}\.\d) [GMkmµ]?W$/, String(value));
  }
});

test('formatValue leaves seconds seconds', () => {
  assert.deepEqual([formatValue(7265, 's'), formatValue(0.0042, 's')], ['7265 s', '4.200 ms']);
});

test('formatValue and formatRatio show a dash, when there is no number', () => {
  for (const value of [NaN, Infinity]) {
    assert.deepEqual([formatValue(value, 'W'), formatRatio(value)], ['-', '-']);
  }
});

test('formatRatio shows a decimal below 100 %', () => {
  assert.deepEqual([0.1234, 0.9999, 1.876].map(formatRatio), ['12.3 %', '100 %', '188 %']);
});

test('formatSize shows bytes in powers of ten', () => {
  assert.deepEqual([13_478_912, 2_345_000_000].map(formatSize), ['13.48 MB', '2.345 GB']);
});
