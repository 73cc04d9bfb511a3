import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findReason } from './reasons.js';
import { tabulate } from './report.js';

const result = { unit: '%', ours: 2.5, reference: 1, ratio: undefined, budget: 'at most 0.1 points more' };

test('tabulate says why a budget is missed, and nothing of one that is met', () => {
  const { rows } = tabulate('sampling', [
    { ...result, what: 'Missed ticks at 10000 Hz', met: false },
    { ...result, what: 'Missed ticks at 10000 Hz', met: true },
    { ...result, what: 'Missed ticks at 10000 Hz', met: undefined },
    { ...result, what: 'something else', met: false },
  ]);
  const [missed = '', ...others] = rows.map((row) => row.at(-1));
  assert.match(missed, /^MISSED: .*collection/u);
  assert.deepEqual(others, ['met', '', 'MISSED: the reason is not known']);
});

test('reasons are of benchmarks that there are, and of this one only', () => {
  const source = readFileSync(fileURLToPath(new URL('../../bench/reasons.ts', import.meta.url)), 'utf8');
  const named = Array.from(source.matchAll(/benchmark: '([^']+)'/gu), ([, name = '']) => name);
  assert.ok(named.length > 10);
  for (const name of named)
    assert.match(
      readFileSync(fileURLToPath(new URL(`../../bench/${name}.ts`, import.meta.url)), 'utf8'),
      new RegExp(`name: '${name}'`, 'u'),
    );
  assert.equal(findReason('file', 'Missed ticks at 10000 Hz'), undefined);
});
