import { existsSync } from 'node:fs';
import type { KeptFile } from '../../src/linux/kept-file.js';
import type { Metric } from '../../src/model/series.js';
import type { CounterColumn } from '../../src/scraping/counter-table.js';
import { Counts } from '../../src/scraping/counts.js';
import { describeStalls, parsePressure } from '../../src/scraping/pressure.js';
import type { DescribeSource } from '../../src/scraping/source.js';
import type { Config } from './config.js';

const pressure: Metric = {
  name: 'system.linux.pressure.time',
  unit: 's',
  description: 'Time during which some or all threads that had work waited for a resource',
  kind: 'counter',
  valueType: 'double',
};

export const pressureMetrics = [pressure];

/**
 * The stall types in a file of `/proc/pressure`: "full" of the CPU is undefined and always 0, interrupts have
 * no "some".
 */
const stallTypes: ReadonlyMap<string, readonly string[]> = new Map([
  ['cpu', ['some']],
  ['memory', ['some', 'full']],
  ['io', ['some', 'full']],
  ['irq', ['full']],
]);

/** The contents of `/proc/pressure`. */
export function describePressure({ procfs }: Config): DescribeSource {
  return (source) => {
    const folder = `${procfs}/pressure`;
    const counters = source.counters(describeResource);
    const parts = [...stallTypes]
      // Kernels before 6.1, and those without IRQ time accounting, have no interrupt pressure.
      .filter(([name]) => name !== 'irq' || existsSync(`${folder}/${name}`))
      .map(([name, types]) => {
        const file = source.file(`${folder}/${name}`);
        return () => counters.add(name, readTotals(file, types));
      });
    return (at) => {
      counters.begin(at);
      source.readParts(parts);
      return [counters.finish()];
    };
  };
}

function describeResource(name: string): readonly CounterColumn[] {
  return describeStalls(pressure, name, stallTypes.get(name) ?? []);
}

const totals = new Counts(2);

/** @returns the total of each stall type; valid until the next call */
function readTotals(file: KeptFile, types: readonly string[]): Counts {
  const missing = parsePressure(file.read(), types, totals);
  if (missing === undefined) return totals;
  throw new Error(
    `Cannot parse ${file.path}: expected a line "${missing} ... total=" and a number, found none`,
  );
}
