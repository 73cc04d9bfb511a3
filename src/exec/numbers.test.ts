import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCells } from './numbers.js';

test('formatCells puts numbers to the right and words to the left', () => {
  const lines = formatCells([
    ['', 'energy', ''],
    ['machine', '1.2 J', 'measured'],
    ['cpu', '10.25 J', ''],
  ]);
  assert.deepEqual(lines, ['             energy', '  machine     1.2 J   measured', '  cpu       10.25 J']);
});
