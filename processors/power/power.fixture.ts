import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Series } from '../../src/model/series.js';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import { createRow } from '../../src/model/table.js';
import { schema } from './config.js';
import { factory } from './factory.js';

export const epoch = 1_800_000_000_000_000_000n;

export function unixNs(seconds: number): bigint {
  return epoch + BigInt(Math.round(seconds * 1e9));
}

export function createMeter(startS = 0, id = 'package-0'): Series {
  const attributes = { 'hw.type': 'cpu', 'hw.id': id };
  return { metric: hwEnergy, resource: { attributes: {} }, attributes, start: unixNs(startS) };
}

export function create(settings: object = {}) {
  const out = createTableCollector();
  const processor = factory.create(parseSettings(schema, settings), createFakeContext(), out);
  return {
    out,
    consume: processor.consume.bind(processor),
    /** Seconds and watts of every row of power that was forwarded, the first column only. */
    rows: () =>
      out.tables.flatMap(({ series, offsets, values, epoch: from }) => {
        if (series.length === 0 || !series[0].metric.name.endsWith('.power')) return [];
        return Array.from(offsets, (offset, row) => [
          Number(from - epoch + BigInt(offset)) / 1e9,
          values[row * series.length],
        ]);
      }),
  };
}

/** Plays rows of seconds and joules, one table each. */
export function play(settings: object, rows: readonly (readonly [number, number])[], startS = rows[0][0]) {
  const power = create(settings);
  const series = [createMeter(startS)];
  for (const [atS, joules] of rows) {
    power.consume(createRow(series, unixNs(atS), Float64Array.of(joules)));
  }
  return power;
}
