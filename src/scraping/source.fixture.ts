import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { createFakeContext, createLogCollector } from '../component/fakes.js';
import type { Table } from '../model/table.js';
import { openSources, type NamedSource, type SourceScraper } from './scraping-receiver.js';

/** Writes files by path, in place if they exist: the kernel does not replace its files either. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A scraper of the sources that exist, and its log. */
export function openScraperOf(t: TestContext, sources: readonly NamedSource[]) {
  const log = createLogCollector();
  const context = createFakeContext({ log });
  const scraper = openSources(sources, context);
  t.after(() => scraper.close());
  /** How often other work may run during a scrape. */
  const countSteps = (): number => [...scraper.scrape(0)].filter((table) => table === undefined).length;
  return { lines: log.lines, scrape: createScrape(scraper), countSteps };
}

/** The tables of a scraper without the yields in between. */
export function createScrape(scraper: SourceScraper): (breaks: number) => Iterable<Table> {
  return function* (breaks) {
    for (const table of scraper.scrape(breaks)) if (table !== undefined) yield table;
  };
}

/** The values of the tables by metric and attribute values, `system.disk.io sda read`, in order. */
export function valuesOf(tables: Iterable<Table>): Record<string, number> {
  const entries = [...tables].flatMap(({ series, values }) =>
    series.map(({ metric, attributes }, i): [string, number] => [
      [metric.name, ...Object.values(attributes)].join(' '),
      values[i] ?? NaN,
    ]),
  );
  return Object.fromEntries(entries);
}

/** The ended series, named as in `valuesOf`. */
export function endedOf(tables: readonly Table[]): string[] {
  return tables
    .flatMap(({ ended }) => ended ?? [])
    .map(({ metric, attributes }) => [metric.name, ...Object.values(attributes)].join(' '));
}
