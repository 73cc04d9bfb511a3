import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { TestContext } from 'node:test';
import { createFakeContext, createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Table } from '../../src/model/table.js';
import { SourceScraper } from '../../src/scraping/scraping-receiver.js';
import { Source } from '../../src/scraping/source.js';
import { createScrape, valuesOf } from '../../src/scraping/source.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { schema } from './config.js';
import { listSources } from './factory.js';

const testdata = new URL('../../../receivers/host/testdata/', import.meta.url).pathname;
export const groupNames = ['cpu', 'memory', 'network', 'disk', 'load', 'pressure', 'frequency'];

/** A folder with the files of a machine in testdata. */
export function copyMachine(name: string): string {
  const folder = createFolder();
  cpSync(join(testdata, name), folder, { recursive: true });
  return folder;
}

/** Writes the files of another reading in place: the kernel does not replace its files either. */
export function overwrite(folder: string, name: string): void {
  const from = join(testdata, name);
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    const path = relative(from, join(entry.parentPath, entry.name));
    if (entry.isFile()) writeFileSync(join(folder, path), readFileSync(join(from, path)));
  }
}

/** A scraper of these groups, and its log. */
export function openScraper(
  t: TestContext,
  folder: string,
  groups: readonly string[],
  settings: object = {},
) {
  const config = parseSettings(schema, {
    procfs: join(folder, 'proc'),
    sysfs: join(folder, 'sys'),
    groups: Object.fromEntries(groupNames.map((name) => [name, groups.includes(name)])),
    ...settings,
  });
  const log = createLogCollector();
  const context = createFakeContext({ log });
  const sources = listSources(config).map(({ describe }) => new Source(context, describe));
  const scraper = new SourceScraper(sources, () => context.clock.wallNs());
  t.after(() => scraper.close());
  return { lines: log.lines, scrape: createScrape(scraper) };
}

export function ioTimesOf(tables: readonly Table[]): string[] {
  return Object.keys(valuesOf(tables)).filter((name) => name.startsWith('system.disk.io_time'));
}

/** Reads a machine with four CPUs, and again after some time, with hotplug of each kind and a reset. */
export function scrapeTwice(t: TestContext, groups: readonly string[], settings: object = {}) {
  const folder = copyMachine('server');
  const scraper = openScraper(t, folder, groups, settings);
  const first = [...scraper.scrape(0)];
  overwrite(folder, 'later');
  return { first, later: [...scraper.scrape(0)] };
}

/** Consecutive readings of files. */
export function readSteps(
  t: TestContext,
  groups: readonly string[],
  steps: readonly ProcFiles[],
  settings: object = {},
) {
  const folder = copyMachine('server');
  const scraper = openScraper(t, folder, groups, settings);
  const readings = steps.map((files) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'proc', name), text);
    return [...scraper.scrape(0)];
  });
  return { readings, values: readings.map(valuesOf), lines: scraper.lines };
}

/** Texts of files below /proc, by path. */
export type ProcFiles = Readonly<Record<string, string>>;

/** Readings of a group some of whose files are unreadable or lack lines. */
export function readDamaged(t: TestContext, group: string, damage: (folder: string) => void) {
  const folder = copyMachine('server');
  damage(folder);
  const scraper = openScraper(t, folder, [group]);
  const tables: Table[] = [];
  const scrape = () => {
    for (const table of scraper.scrape(0)) tables.push(table);
  };
  return { scrape, tables };
}

/** Leaves a line out of a file. */
export function dropLine(path: string, label: string): void {
  const lines = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, lines.filter((line) => !line.startsWith(label)).join('\n'));
}
