import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findReason } from './reasons.js';
import { tabulate } from './report.js';

const result = { unit: '%', ours: 2.5, reference: 1, ratio: undefined, budget: 'at most 0.1 points more' };

test('tabulate gives the reason for a missed budget, and none for a met one', () => {
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

test('reasons refer to benchmarks that exist, and findReason returns those of its own benchmark', () => {
  const source = readFileSync(fileURLToPath(new URL('../../bench/reasons.ts', import.meta.url)), 'utf8');
  const named = Array.from(source.matchAll(/benchmark: '([^']+)'/gu), ([, name = '']) => name);
  assert.ok(named.length > 10);
  for (const name of named)
    assert.match(
      readFileSync(fileURLToPath(new URL(`../../bench/${name}.ts`, import.meta.url)), 'utf8'),
      new RegExp(`name: '${name}'`, 'u'),
    );
  assert.match(findReason('file', 'Missed ticks at 10000 Hz'), /not known/u);
});

test('docs/benchmarks.md gives the reason of every missed budget', () => {
  const text = readFileSync(fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url)), 'utf8');
  const sections = [...text.matchAll(/<!-- figures of (\S+) -->(.*?)<!-- end of \1 -->/gsu)];
  assert.ok(sections.length > 10);
  for (const [, benchmark = '', figures = ''] of sections) {
    for (const line of figures.split('\n')) {
      const cells = line.split('|').map((cell) => cell.trim());
      const [, what = ''] = cells;
      const verdict = cells.at(-2) ?? '';
      if (verdict.includes('MISSED')) assert.equal(verdict, `MISSED: ${findReason(benchmark, what)}`, what);
    }
  }
});
