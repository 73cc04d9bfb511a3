import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schema } from '../component/schema.js';
import { parseSettings } from './settings.js';

const schema = {
  interval: { doc: '', format: 'duration', default: '1s', min: 1 },
  buffer: { rows: { doc: '', format: 'int', default: 3, min: 1, max: 9 } },
  mode: { doc: '', format: ['auto', 'perf_event', 'powercap'], default: 'auto' },
  names: { doc: '', format: 'string_list', default: [] },
  pids: { doc: '', format: 'int_list', default: [] },
  user: { doc: '', format: 'string', default: null },
  listeners: {
    doc: '',
    format: 'list',
    items: { port: { doc: '', format: 'port', default: 0 } },
    default: [],
  },
  size: { doc: '', format: 'byte_size', default: '1MiB' },
  headers: { doc: '', format: 'string_map', default: {} },
  enabled: { doc: '', format: 'boolean', default: false },
} as const satisfies Schema;

function problemsOf(value: unknown): string[] {
  try {
    parseSettings(schema, value);
    return [];
  } catch (error) {
    assert.ok(error instanceof Error);
    return error.message.split('\n');
  }
}

test('parseSettings gives every default in its own unit, when nothing is set', () => {
  assert.deepEqual(parseSettings(schema, null), {
    interval: 1000,
    buffer: { rows: 3 },
    mode: 'auto',
    names: [],
    pids: [],
    user: null,
    listeners: [],
    size: 1_048_576,
    headers: {},
    enabled: false,
  });
});

test('parseSettings gives what is set, when it is right', () => {
  const settings = parseSettings(schema, {
    interval: '1m0.5s',
    buffer: { rows: 4 },
    names: ['a'],
    user: 'me',
    listeners: [{ port: 5 }, {}],
    size: '64KiB',
    headers: { a: 'b' },
    enabled: true,
  });
  assert.equal(settings.interval, 60_500);
  assert.equal(settings.buffer.rows, 4);
  assert.deepEqual(settings.listeners, [{ port: 5 }, { port: 0 }]);
  assert.equal(settings.size, 65_536);
  assert.deepEqual(settings.headers, { a: 'b' });
  assert.equal(settings.enabled, true);
});

test('parseSettings treats a key without a value as not written, as the Collector does', () => {
  assert.equal(parseSettings(schema, { interval: null }).interval, 1000);
});

test('parseSettings names every mistake with its path, when there are several', () => {
  assert.deepEqual(problemsOf({ intervall: '1s', buffer: { rows: 0 }, listeners: [{ port: '7abc' }, 3] }), [
    'intervall: unknown setting, did you mean "interval"?',
    'buffer.rows: expected at least 1, found the number 0',
    'listeners[0].port: expected a port from 0 to 65535, found the text "7abc"',
    'listeners[1]: expected a map of settings, found the number 3',
  ]);
});

test('parseSettings takes no number for a duration, no text for a number, no word for a truth value', () => {
  assert.deepEqual(problemsOf({ interval: 5, buffer: { rows: '7' }, enabled: 'maybe', user: 7 }), [
    'interval: expected a duration such as "1s" or "200ms", found the number 5',
    'buffer.rows: expected a whole number, found the text "7"',
    'user: expected a text, found the number 7',
    'enabled: expected true or false, found the text "maybe"',
  ]);
});

test('parseSettings takes no duration that is too long for a timer', () => {
  assert.equal(parseSettings(schema, { interval: '576h' }).interval, 2_073_600_000);
  assert.deepEqual(problemsOf({ interval: '1000h' }), [
    'interval: expected at most 576h, found the text "1000h"',
  ]);
});

test('parseSettings reports what it wants and found, when a choice, a list or a size is wrong', () => {
  assert.deepEqual(problemsOf({ mode: 'perf_evnt', names: [1], size: '3 apples', headers: ['a'] }), [
    'mode: expected one of auto, perf_event, powercap, found the text "perf_evnt", did you mean "perf_event"?',
    'names: expected a list of texts, found a list with the number 1',
    'size: expected a size such as "64MiB" or 1024, found the text "3 apples"',
    'headers: expected a map from names to texts, found a list with the text "a"',
  ]);
});

test('parseSettings keeps keys with dots apart, when a map has them', () => {
  assert.deepEqual(parseSettings(schema, { headers: { 'a.b': 'c' } }).headers, { 'a.b': 'c' });
});

test('parseSettings refuses keys of every object, when a user writes them', () => {
  assert.deepEqual(problemsOf({ constructor: 1 }), [
    'constructor: unknown setting, known: interval, buffer, mode, names, pids, user, listeners, size, headers, enabled',
  ]);
});

test('parseSettings says limits as a user writes them, and quotes the beginning of a long text', () => {
  assert.deepEqual(problemsOf({ interval: '20us' }), [
    'interval: expected at least 1ms, found the text "20us"',
  ]);
  assert.deepEqual(problemsOf({ enabled: 'x'.repeat(1000) }), [
    `enabled: expected true or false, found the text "${'x'.repeat(80)}..."`,
  ]);
});

test('parseSettings takes a list of whole numbers, and nothing else for it', () => {
  assert.deepEqual(parseSettings(schema, { pids: [1, 4711] }).pids, [1, 4711]);
  assert.deepEqual(problemsOf({ pids: [1, 'two'] }), [
    'pids: expected a list of whole numbers, found a list with the text "two"',
  ]);
  assert.match(problemsOf({ pids: [1.5] }).join(), /^pids: expected a list of whole numbers, found/);
});

test('parseSettings names the item that is no text', () => {
  assert.deepEqual(problemsOf({ names: ['a', 7] }), [
    'names: expected a list of texts, found a list with the number 7',
  ]);
  assert.deepEqual(problemsOf({ headers: { a: 'b', c: 1 } }), [
    'headers: expected a map from names to texts, found a map with the number 1',
  ]);
});
