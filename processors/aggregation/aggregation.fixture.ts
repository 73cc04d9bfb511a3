import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Attributes, Metric, Series } from '../../src/model/series.js';
import { createEnding, createRow, timeOf, type Table } from '../../src/model/table.js';
import { factory } from './factory.js';

/** A multiple of a minute, as Unix time in nanoseconds. */
export const epoch = 1_800_000_000_000_000_000n;

export function gauge(name: string): Metric {
  return { name, unit: 'W', description: '', kind: 'gauge', valueType: 'double' };
}

export function counter(name: string, valueType: Metric['valueType'] = 'double'): Metric {
  return { name, unit: 'J', description: '', kind: 'counter', valueType };
}

export const power = gauge('power');
export const energy = counter('energy');

/** @param startS seconds after the epoch */
export function seriesOf(metric: Metric, attributes: Attributes = {}, startS = 0): Series {
  return { metric, resource: { attributes: {} }, attributes, start: instantOf(startS) };
}

export function instantOf(atS: number): bigint {
  return epoch + BigInt(Math.round(atS * 1e9));
}

/** A processor with windows of ten seconds, and everything that it forwarded. */
export function createAggregation(settings: object) {
  const out = createTableCollector();
  const log = createLogCollector();
  const config = parseSettings(factory.schema, { interval: '10s', ...settings });
  const processor = factory.create(config, createFakeContext({ log }), out);
  return {
    out,
    log,
    processor,
    feed: (atS: number, series: readonly Series[], values: readonly number[]) =>
      processor.consume(createRow(series, instantOf(atS), Float64Array.from(values))),
    end: (atS: number, series: readonly Series[]) => processor.consume(createEnding(series, instantOf(atS))),
    /** Seconds and values of a metric, without gaps, in the order of forwarding. */
    rows: (name: string, attributes?: Attributes) => listRows(out.tables, name, attributes),
  };
}

export function listRows(
  tables: readonly Table[],
  name: string,
  attributes?: Attributes,
): [number, number][] {
  const rows: [number, number][] = [];
  for (const table of tables) {
    for (let row = 0; row < table.offsets.length; row++) {
      for (const [column, series] of table.series.entries()) {
        const value = table.values[row * table.series.length + column];
        const isOther = Object.entries(attributes ?? {}).some(([key, one]) => series.attributes[key] !== one);
        if (series.metric.name !== name || isOther || Number.isNaN(value)) continue;
        rows.push([Number(timeOf(table, row) - epoch) / 1e9, value]);
      }
    }
  }
  return rows;
}
