import { KeptFile } from '../../src/linux/kept-file.js';
import type { Metric } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { GaugeTable } from './gauge-table.js';
import type { Group, GroupContext } from './group.js';

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

  constructor(context: GroupContext) {
    this.#context = context;
    this.#loadavg = new KeptFile(`${context.config.procfs}/loadavg`);
    this.#uptime = new KeptFile(`${context.config.procfs}/uptime`);
    this.#gauges = new GaugeTable(
      context.host,
      loadMetrics.map((metric) => ({ metric, attributes: {} })),
    );
  }

  read(): Table[] {
    const at = this.#context.clock.wallNs();
    return [this.#gauges.row(at, [...readNumbers(this.#loadavg, 3), ...readNumbers(this.#uptime, 1)])];
  }

  restart(at: bigint): Table[] {
    return [this.#gauges.restart(at)];
  }

  close(): void {
    this.#loadavg.close();
    this.#uptime.close();
  }
}

/** The first decimal fractions of a file. */
function readNumbers(file: KeptFile, count: number): number[] {
  const text = file.read().toString('latin1');
  const numbers = text.split(' ', count).map(Number);
  if (numbers.length === count && !numbers.some(Number.isNaN)) return numbers;
  throw new Error(`Cannot parse ${file.path}: expected ${count} decimal numbers, found "${text.trim()}"`);
}
