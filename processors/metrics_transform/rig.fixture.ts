import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Attributes, Metric, Resource, Series } from '../../src/model/series.js';
import { createRow, type Table } from '../../src/model/table.js';
import { factory } from './factory.js';

const host: Resource = { attributes: { 'host.name': 'node-1' } };

export function metricOf(name: string, changes: Partial<Metric> = {}): Metric {
  return { name, unit: '1', description: 'As it came', kind: 'gauge', valueType: 'double', ...changes };
}

/** A series of the host. */
export function seriesOf(metric: Metric, attributes: Attributes = {}, changes: Partial<Series> = {}): Series {
  return { metric, resource: host, attributes, start: 0n, ...changes };
}

const energy = metricOf('hw.energy', { unit: 'J', kind: 'counter' });
export const power = metricOf('hw.power', { unit: 'W' });

/** The energy of a package. */
export function packageOf(id: string, start = 0n): Series {
  return seriesOf(energy, { 'hw.type': 'cpu', 'hw.id': id }, { start });
}

/** One counter of all packages. */
export const sumPackages = {
  include: 'hw.energy',
  action: 'update',
  operations: [{ action: 'aggregate_labels', label_set: ['hw.type'], aggregation_type: 'sum' }],
};

/** Validates settings. */
export function checkSettings(settings: unknown): readonly string[] {
  return factory.check?.(parseSettings(factory.schema, settings)) ?? [];
}

/** A processor with these settings, and its output. */
export function createRig(settings: unknown) {
  const config = parseSettings(factory.schema, settings);
  const log = createLogCollector();
  const next = createTableCollector();
  const processor = factory.create(config, createFakeContext({ log }), next);
  return {
    log,
    next,
    processor,
    /** Feeds one row of values. */
    feed: (series: readonly Series[], at: number, values: readonly number[], ended?: readonly Series[]) =>
      processor.consume({
        ...createRow(series, BigInt(at), Float64Array.from(values)),
        ...(ended && { ended }),
      }),
    /** Each reading of a metric: instant, labels and value, in order. */
    readings: (name: string) => next.tables.flatMap((table) => readingsOf(table, name)),
  };
}

function readingsOf({ series, epoch, offsets, values }: Table, name: string) {
  return Array.from(values, (value, cell) => {
    const { metric, attributes } = series[cell % series.length];
    const at = Number(epoch) + offsets[Math.floor(cell / series.length)];
    return { name: metric.name, at, attributes, value };
  }).filter((reading) => reading.name === name);
}

/** Lines `name{label=value} value` of the last row of each series. */
export function describeLast(tables: readonly Table[]): readonly string[] {
  const last = new Map<Series, number>();
  for (const { series, values } of tables) {
    for (const [cell, value] of values.entries()) last.set(series[cell % series.length], value);
  }
  return Array.from(last, ([{ metric, attributes }, value]) => {
    const labels = Object.entries(attributes).map(([label, text]) => `${label}=${text}`);
    return `${metric.name}{${labels.join()}} ${value}`;
  });
}
