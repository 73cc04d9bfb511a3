import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { schema } from '../../receivers/host/config.js';
import { createGroups, HostScraper } from '../../receivers/host/host-scraper.js';
import { parseSettings } from '../../src/config/settings.js';
import { createFakeContext } from '../../src/contract/fakes.js';
import { attributesKey } from '../../src/model/key.js';
import type { Table } from '../../src/model/table.js';

const names = ['meminfo', 'vmstat', 'diskstats', 'cpuinfo', 'loadavg', 'uptime', 'stat', 'net/dev'];
const pressures = ['pressure/cpu', 'pressure/memory', 'pressure/io'];

/** The `host` receiver on files that all hold the same: each table is read from inputs made for any of them. */
export class HostFiles {
  readonly #folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  readonly #scraper: HostScraper;

  constructor() {
    for (const name of ['net', 'pressure', 'devices/system/cpu']) {
      mkdirSync(join(this.#folder, name), { recursive: true });
    }
    process.once('exit', () => rmSync(this.#folder, { recursive: true, force: true }));
    writeFileSync(join(this.#folder, 'devices/system/cpu/online'), '0-1\n');
    const config = parseSettings(schema, { procfs: this.#folder, sysfs: this.#folder });
    const context = createFakeContext();
    this.#scraper = new HostScraper(createGroups({ config, ...context }), () => context.clock.wallNs());
  }

  /** Reads an input as each of the files. */
  read(input: Buffer): void {
    for (const name of [...names, ...pressures]) writeFileSync(join(this.#folder, name), input);
    const tables: Table[] = [];
    let failure: unknown;
    try {
      for (const table of this.#scraper.scrape(0)) tables.push(table);
    } catch (error) {
      failure = error;
    }
    tables.forEach(checkTable);
    if (failure !== undefined) throw failure;
  }
}

/** No value is negative, infinite or of a series that is there twice. */
function checkTable({ series, values }: Table): void {
  const keys = series.map(({ metric, attributes }) => metric.name + attributesKey(attributes));
  if (new Set(keys).size < keys.length) throw new TypeError(`twice: ${keys.join(' ')}`);
  const at = values.findIndex((value) => value < 0 || value > Number.MAX_SAFE_INTEGER * 1024);
  if (at >= 0) throw new TypeError(`${keys[at % keys.length]} is ${values[at]}`);
}
