import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Grid } from './benchmark.js';

const page = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url));
const prettier = fileURLToPath(new URL('../../node_modules/prettier/bin/prettier.cjs', import.meta.url));

/** The rows of a table in Markdown. */
export function renderMarkdown({ columns, rows }: Grid): string {
  return [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Replaces the figures of one benchmark in docs/benchmarks.md. @throws Error when it has no section there */
export function publishFigures(name: string, grid: Grid, machine: string): void {
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(
    page,
    replaceFigures(readFileSync(page, 'utf8'), name, `${date}: ${machine}\n\n${renderMarkdown(grid)}`),
  );
  execFileSync(process.execPath, [prettier, '--write', '--log-level', 'warn', page], { stdio: 'inherit' });
}

/**
 * Replaces what stands between the marks of a benchmark.
 * @throws Error when the page has no such marks
 */
export function replaceFigures(text: string, name: string, figures: string): string {
  const [begin, end] = [`<!-- figures of ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from >= 0 && to > from)
    return `${text.slice(0, from + begin.length)}\n\n${figures}\n\n${text.slice(to)}`;
  throw new Error(`Cannot publish the figures of ${name}: expected "${begin}" in docs/benchmarks.md`);
}
