import assert from 'node:assert/strict';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Attributes, MetricKind, Series } from '../../src/model/series.js';
import { createRow, timeOf } from '../../src/model/table.js';
import { schema } from './config.js';
import { factory } from './factory.js';

export const epoch = 1_800_000_000_000_000_000n;
export const unixNs = (seconds: number) => epoch + BigInt(Math.round(seconds * 1e9));
export const service = { 'service.name': 'llm' };

interface Described {
  readonly kind?: MetricKind;
  readonly attributes?: Attributes;
  readonly resource?: Attributes;
  readonly startS?: number;
}

export function createSeries(
  name: string,
  { kind = 'counter', attributes = {}, resource = service, startS = 0 }: Described = {},
): Series {
  const metric = { name, unit: '1', description: '', kind, valueType: 'double' } as const;
  return { metric, resource: { attributes: resource }, attributes, start: unixNs(startS) };
}

interface Point {
  readonly atS: number;
  readonly value: number;
  readonly series: Series;
}

/** For tests: the processor with some workloads, and what it publishes. */
export function create(workloads: readonly object[], settings: object = {}) {
  const out = createTableCollector();
  const config = parseSettings(schema, { ...settings, workloads });
  assert.deepEqual(factory.check?.(config), []);
  const processor = factory.create(config, createFakeContext(), out);
  const points = (name: string, unit?: string): readonly Point[] =>
    out.tables.flatMap((table) =>
      table.series.flatMap((series, column) =>
        series.metric.name === name && (unit === undefined || series.attributes['work.unit'] === unit)
          ? Array.from(table.offsets, (_, row) => ({
              atS: Number(timeOf(table, row) - epoch) / 1e9,
              value: table.values[row * table.series.length + column] ?? NaN,
              series,
            }))
          : [],
      ),
    );
  return {
    out,
    processor,
    points,
    feed: (atS: number, series: readonly Series[], values: readonly number[]) =>
      processor.consume(createRow(series, unixNs(atS), Float64Array.from(values))),
    /** The last value of each unit's energy. */
    energies: () => lastByUnit(points('work.energy')),
  };
}

function lastByUnit(points: readonly Point[]): Record<string, number> {
  return Object.fromEntries(
    points.map(({ series: { attributes }, value }) => {
      const { 'work.unit': unit, ...others } = attributes;
      return [[unit, ...Object.values(others)].join(' '), value];
    }),
  );
}

export function last(points: readonly Point[]): number {
  return points.at(-1)?.value ?? NaN;
}

/** For tests: the energy of a service. */
export const energy = createSeries('service.energy');
