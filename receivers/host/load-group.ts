import type { KeptFile } from '../../src/linux/kept-file.js';
import type { Metric } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { readLine } from '../../src/scraping/file-gauges.js';
import { maxSeconds, maxThreads } from '../../src/scraping/lines.js';
import type { DescribeSource } from '../../src/scraping/source.js';
import type { Config } from './config.js';

const load = ['1m', '5m', '15m'].map((span): Metric => ({
  name: `system.cpu.load_average.${span}`,
  unit: '{thread}',
  description: `Mean number of threads that ran, or waited for a CPU or for I/O, over ${span.replace('m', ' min')}`,
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

const parts = [
  { name: 'loadavg', metrics: load, most: maxThreads },
  { name: 'uptime', metrics: [uptime], most: maxSeconds },
];

/** The contents of `/proc/loadavg` and `/proc/uptime`, independently. */
export function describeLoad({ procfs }: Config): DescribeSource {
  return (source) => {
    const readers = parts.map(({ name, metrics, most }) => {
      const file = source.file(`${procfs}/${name}`);
      const gauges = source.gauges(metrics.map((metric) => ({ metric, attributes: {} })));
      const check = (value: number): number => source.check(file.path, value, most);
      return (at: bigint) => gauges.row(at, readNumbers(file, metrics.length).map(check));
    });
    return (at) => {
      const tables: Table[] = [];
      source.readParts(readers.map((read) => () => tables.push(read(at))));
      return tables;
    };
  };
}

/** The first decimal fractions of a file. */
function readNumbers(file: KeptFile, count: number): number[] {
  const text = readLine(file);
  const words = text.split(' ', count);
  if (words.length === count && words.every((word) => /^-?\d+(\.\d+)?$/u.test(word)))
    return words.map(Number);
  throw new Error(`Cannot parse ${file.path}: expected ${count} decimal numbers, found "${text}"`);
}
