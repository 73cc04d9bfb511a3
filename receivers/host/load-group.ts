import { KeptFile } from '../../src/linux/kept-file.js';
import { maxSeconds, maxThreads } from '../../src/linux/plausible.js';
import type { Metric } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { GaugeTable } from '../../src/scraping/gauge-table.js';
import type { Group, GroupContext } from './group.js';
import { Plausibility } from '../../src/scraping/plausibility.js';

const load = ['1m', '5m', '15m'].map((span): Metric => ({
  name: `system.cpu.load_average.${span}`,
  unit: '{thread}',
  description: `Threads that ran, waited for a CPU or for I/O, on average over ${span}`,
  kind: 'gauge',
  valueType: 'double',
}));
const uptime: Metric = {
  name: 'system.uptime',
  unit: 's',
  description: 'Time since the machine was started',
  kind: 'gauge',
  valueType: 'double',
};

export const loadMetrics = [...load, uptime];

/** What `/proc/loadavg` and `/proc/uptime` say. */
export class LoadGroup implements Group {
  readonly #context: GroupContext;
  readonly #loadavg: KeptFile;
  readonly #uptime: KeptFile;
  readonly #gauges: GaugeTable;
  readonly #plausibility: Plausibility;

  constructor(context: GroupContext) {
    this.#context = context;
    this.#loadavg = new KeptFile(`${context.config.procfs}/loadavg`);
    this.#uptime = new KeptFile(`${context.config.procfs}/uptime`);
    this.#plausibility = new Plausibility(context.log);
    this.#gauges = new GaugeTable(
      context.host,
      loadMetrics.map((metric) => ({ metric, attributes: {} })),
    );
  }

  read(): Table[] {
    const at = this.#context.clock.wallNs();
    const loads = this.#read(this.#loadavg, 3, maxThreads);
    return [this.#gauges.row(at, [...loads, ...this.#read(this.#uptime, 1, maxSeconds)])];
  }

  restart(at: bigint): Table[] {
    return [this.#gauges.restart(at)];
  }

  close(): void {
    this.#loadavg.close();
    this.#uptime.close();
  }

  #read(file: KeptFile, count: number, most: number): number[] {
    return readNumbers(file, count).map((number) => this.#plausibility.check(file.path, number, most));
  }
}

/** The first decimal fractions of a file. */
function readNumbers(file: KeptFile, count: number): number[] {
  const text = file.read().toString('latin1');
  const words = text.trimEnd().split(' ', count);
  if (words.length === count && words.every((word) => /^-?\d+(\.\d+)?$/u.test(word)))
    return words.map(Number);
  throw new Error(`Cannot parse ${file.path}: expected ${count} decimal numbers, found "${text.trim()}"`);
}
