import { ftruncateSync, linkSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { schema } from '../../receivers/host/config.js';
import { listSources } from '../../receivers/host/factory.js';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { attributesKey } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { SourceScraper } from '../../src/scraping/scraping-receiver.js';
import { Source } from '../../src/scraping/source.js';

const names = ['meminfo', 'vmstat', 'diskstats', 'cpuinfo', 'loadavg', 'uptime', 'stat', 'net/dev'];
const pressures = ['pressure/cpu', 'pressure/memory', 'pressure/io'];

/** The `host` receiver on files with identical contents: each table is read from inputs made for any of them. */
export class HostFiles {
  readonly #fd: number;
  readonly #scraper: SourceScraper;

  /** @param folder an empty one */
  constructor(folder: string) {
    const path = join(folder, 'input');
    this.#fd = openSync(path, 'w');
    for (const name of ['net', 'pressure', 'devices/system/cpu']) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    writeFileSync(join(folder, 'devices/system/cpu/online'), '0-1\n');
    // Links many names to one file, so that an input is written once.
    for (const name of [...names, ...pressures]) linkSync(path, join(folder, name));
    const config = parseSettings(schema, { procfs: folder, sysfs: folder });
    const context = createFakeContext();
    const sources = listSources(config).map(({ describe }) => new Source(context, describe));
    this.#scraper = new SourceScraper(sources, () => context.clock.wallNs());
  }

  /** Reads an input as each of the files. */
  read(input: Buffer): void {
    ftruncateSync(this.#fd, input.length);
    writeSync(this.#fd, input, 0, input.length, 0);
    const tables: Table[] = [];
    let failure: unknown;
    try {
      for (const table of this.#scraper.scrape(0)) if (table !== undefined) tables.push(table);
    } catch (error) {
      failure = error;
    }
    tables.forEach(checkTable);
    if (failure !== undefined) throw failure;
  }
}

/** No value is negative or infinite, and no series is duplicated. */
function checkTable({ series, values }: Table): void {
  const keys = series.map(({ metric, attributes }) => metric.name + attributesKey(attributes));
  if (new Set(keys).size < keys.length) throw new TypeError(`twice: ${keys.join(' ')}`);
  const at = values.findIndex((value) => value < 0 || value > Number.MAX_SAFE_INTEGER * 1024);
  if (at >= 0) throw new TypeError(`${keys[at % keys.length]} is ${values[at]}`);
}
