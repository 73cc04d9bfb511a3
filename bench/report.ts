import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import type { Grid, Result } from './benchmark.js';
import { renderMarkdown } from './published-figures.js';
import { findReason } from './reasons.js';

/** Format of printed tables: aligned for a terminal, or Markdown for docs/benchmarks.md. */
export type Format = 'text' | 'markdown';

/** The machine and the versions that figures were measured with. */
export function describeMachine(): string {
  const model = cpus()[0]?.model ?? 'unknown CPU';
  const virtual = /^flags\s.*\bhypervisor\b/mu.test(readFileSync('/proc/cpuinfo', 'latin1'));
  const kind = virtual ? 'virtual machine' : 'machine';
  // The suffix after the numbers identifies the build of one machine or provider.
  const kernel = /^[\d.]+/u.exec(release())?.[0] ?? release();
  return `Node ${process.versions.node}, Linux ${kernel}, ${kind} with ${availableParallelism()} CPUs (${model.trim()})`;
}

/** Prints a table with a title. */
export function printTable(title: string, grid: Grid, format: Format): void {
  const text =
    format === 'markdown'
      ? `### ${title}\n\n${renderMarkdown(grid)}`
      : [title, ...alignColumns([grid.columns, ...grid.rows])].join('\n');
  console.log(`\n${text}`);
}

function alignColumns(rows: Grid['rows']): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** The results of a benchmark as a table, with the reason for each missed budget. */
export function tabulate(benchmark: string, results: readonly Result[]): Grid {
  return {
    columns: ['', 'ours', 'reference', 'ratio', 'budget', 'verdict'],
    rows: results.map((result) => describe(benchmark, result)),
  };
}

function describe(benchmark: string, { what, unit, ours, reference, ratio, budget, met }: Result): string[] {
  const figure = (value: number | undefined) => (value === undefined ? '-' : `${round(value)} ${unit}`);
  return [
    what,
    figure(ours),
    figure(reference),
    ratio === undefined ? '-' : `${ratio.toFixed(2)}x`,
    budget,
    met === undefined ? '' : met ? 'met' : describeMiss(benchmark, what),
  ];
}

function describeMiss(benchmark: string, what: string): string {
  return `MISSED: ${findReason(benchmark, what)}`;
}

function round(value: number): string {
  return value >= 1000 ? Math.round(value).toString() : value.toPrecision(3);
}
