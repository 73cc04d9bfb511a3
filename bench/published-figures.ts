import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Grid } from './benchmark.js';

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));
const prettier = fileURLToPath(new URL('../../node_modules/prettier/bin/prettier.cjs', import.meta.url));

/** The rows of a table in Markdown. */
export function renderMarkdown({ columns, rows }: Grid): string {
  return [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/**
 * Replaces the figures of one benchmark, or of the faults, in the page of docs/ that has a section for them.
 * @throws Error when no page has one
 */
export function publishFigures(name: string, table: string, machine: string): void {
  const date = new Date().toISOString().slice(0, 10);
  const page = findPage(name);
  writeFileSync(page, replaceFigures(readFileSync(page, 'utf8'), name, `${date}: ${machine}\n\n${table}`));
  execFileSync(process.execPath, [prettier, '--write', '--log-level', 'warn', page], { stdio: 'inherit' });
}

/** The page in docs/ with the markers of a benchmark; the default page if there is none. */
function findPage(name: string): string {
  const pages = readdirSync(docs).filter((file) => file.endsWith('.md'));
  const mark = `<!-- figures of ${name} -->`;
  const page = pages.find((file) => readFileSync(`${docs}${file}`, 'utf8').includes(mark));
  return `${docs}${page ?? 'benchmarks.md'}`;
}

/**
 * Replaces the text between the markers of a benchmark.
 * @throws Error when the page has no such markers
 */
export function replaceFigures(text: string, name: string, figures: string): string {
  const [begin, end] = [`<!-- figures of ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from >= 0 && to > from)
    return `${text.slice(0, from + begin.length)}\n\n${figures}\n\n${text.slice(to)}`;
  throw new Error(`Cannot publish the figures of ${name}: expected "${begin}" in a page of docs/`);
}
