import assert from 'node:assert/strict';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Series } from '../../src/model/series.js';
import { createRow, timeOf, type Table } from '../../src/model/table.js';
import { epoch, unixNs } from '../../src/windows/windows.fixture.js';
import { schema } from './config.js';
import { factory } from './factory.js';

/** The processor with some formulas, and the points of their results: seconds, value, and attribute values. */
export function create(formulas: readonly object[], settings: object = {}) {
  const [out, log] = [createTableCollector(), createLogCollector()];
  const config = parseSettings(schema, { ...settings, formulas });
  assert.deepEqual(factory.check?.(config), []);
  const processor = factory.create(
    config,
    createFakeContext({ log, host: { attributes: { 'host.name': 'node' } } }),
    out,
  );
  return {
    out,
    log,
    consume: (table: Table) => processor.consume(table),
    feed: (atS: number, series: readonly Series[], values: readonly number[]) =>
      processor.consume(createRow(series, unixNs(atS), Float64Array.from(values))),
    points: (name: string) =>
      out.tables.flatMap((table) =>
        table.series.flatMap((series, column) => {
          if (series.metric.name !== name) return [];
          const labels = [
            ...Object.values(series.resource.attributes).slice(1),
            ...Object.values(series.attributes),
          ];
          return Array.from(table.offsets, (_, row) => [
            Number(timeOf(table, row) - epoch) / 1e9,
            Math.round((table.values[row * table.series.length + column] ?? NaN) * 1e6) / 1e6,
            ...labels,
          ]);
        }),
      ),
  };
}

export const energy = { name: 'energy', metric: 'hw.energy' };
