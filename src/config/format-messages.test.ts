import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Setting } from '../component/schema.js';
import { describeProblem, type Problem } from './problem.js';
import { parseConfigText } from './read-yaml.js';
import { validateSettings } from './settings.js';

/** What a setting gets for a text of YAML: its value, or the one message. */
function read(format: Setting['format'], text: string, more: Partial<Setting> = {}): unknown {
  const problems: Problem[] = [];
  const context = { env: { N: '12', LIST: '[1.5]' }, onUnset() {} };
  const root = parseConfigText(`setting: ${text}`, 'c', context, problems);
  const schema = { setting: { doc: '', format, default: null, ...more } };
  const { setting } = validateSettings(schema, root, '', problems);
  return problems.length === 0 ? setting : problems.map(describeProblem).join('\n');
}

/** Checks what is found in each text: the end of its message, after what the format wants. */
function refuse(format: Setting['format'], wanted: string, found: Readonly<Record<string, string>>): void {
  for (const [text, end] of Object.entries(found))
    assert.equal(read(format, text), `c:1:10: setting: expected ${wanted}, found ${end}`, text);
}

function accept(format: Setting['format'], values: Readonly<Record<string, unknown>>): void {
  for (const [text, value] of Object.entries(values)) assert.deepEqual(read(format, text), value, text);
}

test('a duration is a sum of Go units in any order, without sign, exponent or bare number', () => {
  accept('duration', { '1m1h': 3_660_000, '1s1s': 2000, '"0"': 0, '0s': 0, '1µs': 0.001, '1μs': 0.001 });
  refuse('duration', 'a duration such as "1s" or "200ms"', {
    '1.5': 'the number 1.5',
    '.5s': 'the text ".5s"',
    '1e3s': 'the text "1e3s"',
    '1,5s': 'the text "1,5s"',
    '+1s': 'the text "+1s"',
  });
  refuse('duration', 'at most 576h', { '576h1ns': 'the text "576h1ns"' });
});

test('milliseconds are a duration or a whole number, bounded as a duration is', () => {
  accept('milliseconds', { '0x10': 16, '1e3': 1000, '"250"': 250, '2073600000': 2_073_600_000 });
  refuse('milliseconds', 'at most 576h', { '2073600001': 'the number 2073600001' });
  refuse('milliseconds', 'a duration such as "10s", or whole milliseconds such as 10000', {
    '.inf': 'the number Infinity',
    '[]': 'a list',
  });
});

test('the bounds of a setting count themselves, and are shown in the unit of the format', () => {
  const bounds = { min: 1000, max: 60_000 };
  for (const [text, ms] of [
    ['1s', 1000],
    ['1m', 60_000],
  ] as const)
    assert.equal(read('duration', text, bounds), ms);
  const place = 'c:1:10: setting: expected';
  assert.equal(read('duration', '999ms', bounds), `${place} at least 1s, found the text "999ms"`);
  assert.equal(read('milliseconds', '60001', bounds), `${place} at most 1m, found the number 60001`);
  assert.equal(read('byte_size', '60001B', bounds), `${place} at most 60000, found the text "60001B"`);
  assert.equal(read('number', '-.5', { min: 0 }), `${place} at least 0, found the number -0.5`);
  assert.equal(read('int', '${env:N}', { max: 9 }), `${place} at most 9, found a number from \${env:N}`);
  assert.equal(read('int', '12', { max: 9, sensitive: true }), `${place} at most 9, found a number`);
});

test('a size has one space at most before a unit of 1000 or 1024, in the letters of that unit', () => {
  accept('byte_size', { '1 kB': 1000, '1KB': 1000, '0x400': 1024, '0.5KiB': 512, '3B': 3, '2MB': 2e6 });
  refuse('byte_size', 'a size such as "64MiB" or 1024', {
    '1kiB': 'the text "1kiB"',
    '1b': 'the text "1b"',
    '1  kB': 'the text "1  kB"',
    '.inf': 'the number Infinity',
  });
});

test('an endpoint has a host without path and user, IPv6 in brackets, and a port of up to five digits', () => {
  accept('endpoint', { '"*:80"': '*:80', 'a:00080': 'a:00080' });
  refuse('endpoint', 'an address such as "localhost:4317"', {
    '"::1:80"': 'the text "::1:80"',
    '"[::1]"': 'the text "[::1]"',
    '"[]:80"': 'the text "[]:80"',
    'a:000080': 'the text "a:000080"',
    'http://a:80': 'the text "http://a:80"',
    'me:s3cret@a/b:80': 'the text "[REDACTED]@a/b:80"',
  });
  refuse('url', 'an address that begins with http:// or https://', {
    'ftp://me:s3cret@h': 'the text "ftp://[REDACTED]@h"',
    '//a': 'the text "//a"',
  });
});

test('a regular expression is one of the Unicode mode', () => {
  accept('regexp', { '"\\\\p{L}"': '\\p{L}', '""': '', '7': '7' });
  refuse('regexp', 'a regular expression', {
    'a{2,1}': 'the text "a{2,1}"',
    '"\\\\-"': 'the text "\\\\-"',
    '(?<n>a)(?<n>b)': 'the text "(?<n>a)(?<n>b)"',
    true: 'true',
  });
});

test('what is wrong with a list or a map is its first wrong item', () => {
  refuse('int_list', 'a list of whole numbers', {
    '[1, 1.5]': 'a list with the number 1.5',
    '[1, 9007199254740992]': 'a list with the number 9007199254740992',
    '[1, ~, a]': 'a list with nothing',
    '${env:LIST}': 'a list from ${env:LIST}',
  });
  refuse('string_list', 'a list of texts', {
    '[a, [b], 7]': 'a list with a list',
    '[a, {b: c}]': 'a list with a map',
    '{}': 'a map',
  });
  refuse('string_map', 'a map from names to texts', {
    '{a: b, c: ~}': 'a map with nothing',
    '{a: {b: c}}': 'a map with a map',
    '{a: true}': 'a map with true',
  });
  accept('string_map', { '{1: a, true: b, ~: c}': { '1': 'a', true: 'b', '~': 'c' } });
});

test('numbers are written in the ways of YAML 1.2, and truth values are its two words', () => {
  accept('int', { '0o17': 15, '1.0': 1, '+1': 1 });
  refuse('int', 'a whole number', { '0b1': 'the text "0b1"', '1_000': 'the text "1_000"' });
  accept('port', { '0x50': 80, '80.0': 80 });
  accept('boolean', { True: true, FALSE: false });
  refuse('boolean', 'true or false', { on: 'the text "on"', '{}': 'a map' });
  accept('string', { '2001-01-01': '2001-01-01', '!!str 7': '7' });
  refuse('string', 'a text', { '1.10': 'the number 1.1', '{a: b}': 'a map with the text "b"' });
});

test('a choice is written as it is, and the nearest one is named', () => {
  refuse(['grpc', 'http'], 'one of grpc, http', {
    gprc: 'the text "gprc", did you mean "grpc"?',
    GRPC: 'the text "GRPC", did you mean "grpc"?',
    '""': 'the text ""',
    udp: 'the text "udp"',
    '[grpc]': 'a list with the text "grpc"',
  });
  refuse(['auto', 'true'], 'one of auto, true', { true: 'true' });
});
