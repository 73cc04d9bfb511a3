import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCsvLine } from './csv-columns.js';

test('parseCsvLine understands quotes, also those that are wrong', () => {
  const lines: readonly (readonly [string, readonly string[]])[] = [
    ['a,"b,""c""",', ['a', 'b,"c"', '']],
    ['"",""', ['', '']],
    ['""""', ['"']],
    ['"a"b,c', ['a', 'c']],
    ['a"b"c,d', ['a"b"c', 'd']],
    ['"a,b', ['"a', 'b']],
  ];
  for (const [line, fields] of lines) assert.deepEqual(parseCsvLine(line), fields, line);
});

test('parseCsvLine understands a field of any length', () => {
  const [, long] = parseCsvLine(`a,"${'x'.repeat(20_000_000)}"`);
  assert.equal(long.length, 20_000_000);
});
