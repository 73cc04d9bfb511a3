import assert from 'node:assert/strict';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Series } from '../../src/model/series.js';
import { createRow, timeOf } from '../../src/model/table.js';
import { createSeries as createAnySeries, epoch, unixNs } from '../../src/windows/windows.fixture.js';
import { schema } from './config.js';
import { factory } from './factory.js';

export const service = { 'service.name': 'llm' };

/** For tests: a series of the service. */
export function createSeries(name: string, described: Parameters<typeof createAnySeries>[1] = {}): Series {
  return createAnySeries(name, { resource: service, ...described });
}

interface Point {
  readonly atS: number;
  readonly value: number;
  readonly series: Series;
}

/** For tests: the processor with some workloads, and its output. */
export function create(workloads: readonly object[], settings: object = {}) {
  const [out, log] = [createTableCollector(), createLogCollector()];
  const config = parseSettings(schema, { ...settings, workloads });
  assert.deepEqual(factory.check?.(config), []);
  const processor = factory.create(config, createFakeContext({ log }), out);
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
    log,
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

/** A workload of one unit. */
export const requests = { units: [{ name: 'request', metric: 'requests' }] };
/** The counter of that unit. */
export const counted = createSeries('requests');
