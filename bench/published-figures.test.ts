import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { renderMarkdown, replaceFigures } from './published-figures.js';

const page = `# Benchmarks

<!-- figures of agent -->

old

<!-- end of agent -->

text

<!-- figures of agent-more -->
<!-- end of agent-more -->
`;

test('replaceFigures replaces the figures of one benchmark and keeps all other figures and the text', () => {
  const replaced = replaceFigures(page, 'agent', 'new');
  assert.equal(replaced, page.replace('old', 'new'));
  assert.ok(replaceFigures(page, 'agent-more', 'more').includes('old'));
});

test('replaceFigures throws when the page has no section of that name', () => {
  assert.throws(() => replaceFigures(page, 'file', 'new'), /expected "<!-- figures of file -->"/u);
});

test('renderMarkdown renders columns and rows', () => {
  const grid = { columns: ['', 'CPU'], rows: [['joulemetry', '3 ms']] };
  assert.equal(renderMarkdown(grid), '|  | CPU |\n| --- | --- |\n| joulemetry | 3 ms |');
});

test('docs/ has a section for the figures of every benchmark', () => {
  const repository = fileURLToPath(new URL('../../', import.meta.url));
  const published = ['benchmarks.md', 'fleet.md']
    .map((file) => readFileSync(`${repository}docs/${file}`, 'utf8'))
    .join('\n');
  const source = readdirSync(`${repository}bench`)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(`${repository}bench/${file}`, 'utf8'))
    .join('\n');
  const names = Array.from(source.matchAll(/: Benchmark = \{\n  name: '([^']+)'/gu), ([, name = '']) => name);
  assert.ok(names.includes('agent'));
  for (const name of names) assert.ok(replaceFigures(published, name, 'new').includes('new'));
});
