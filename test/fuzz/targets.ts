import type { HistogramTable } from '../../src/model/histogram-table.js';
import {
  exponentialOf,
  histogramOf,
  histogramTable,
  powersOfTwo,
  rowOf,
} from '../../src/model/histogram.fixture.js';
import type { Table } from '../../src/model/table.js';
import { Batcher } from '../../src/otlp/batcher.js';
import { bmcTargets } from './bmc-targets.js';
import { configurationTargets } from './configuration-targets.js';
import { createDatabaseTargets } from './database-targets.js';
import { createKernelTargets } from './kernel-targets.js';
import { meterTargets } from './meter-targets.js';
import { nameTargets } from './name-targets.js';
import { networkTargets } from './network-targets.js';
import { createOtlpTargets } from './otlp-targets.js';
import { createRecordingTargets, sink, writeAgain } from './recording-targets.js';
import type { Target } from './target.js';

/** Every parser of external data. @param folder an empty one, for parsers that read files */
export function createTargets(folder: string): readonly Target[] {
  const table = createTable();
  const histograms = createHistograms();
  return [
    ...createKernelTargets(folder),
    ...configurationTargets,
    ...networkTargets,
    ...bmcTargets,
    ...meterTargets,
    ...nameTargets,
    ...createRecordingTargets(table, histograms),
    ...createDatabaseTargets({ table, histograms }, folder, sink),
    ...createOtlpTargets(table, { consume: takeAgain, consumeHistograms: takeHistograms }),
  ];
}

function createTable(): Table {
  const series = [0, 1, 2].map((id) => ({
    metric: { name: `m${id}`, unit: 'J', description: 'd', kind: 'counter', valueType: 'double' } as const,
    resource: { attributes: { 'host.name': 'a, "b"' } },
    attributes: { 'hw.id': `=p${id}` },
    start: BigInt(id),
  }));
  const values = Float64Array.from({ length: 6 }, (_, cell) => (cell === 4 ? NaN : cell / 3));
  return {
    series,
    epoch: 1_800_000_000_000_000_000n,
    offsets: Float64Array.of(0, 1e6),
    values,
    ended: series,
  };
}

function createHistograms(): HistogramTable {
  const [explicit, exponential] = [histogramOf(), exponentialOf({ 'hw.id': '=p' })];
  const rows = [explicit, exponential].map((series, i) => {
    const row =
      i === 0 ? rowOf([1, 2, 3], { sum: 4.5 }) : rowOf([1, 0, 2, 0, 1], { layout: powersOfTwo, min: 0 });
    return [series, 2000 + i, row] as const;
  });
  return histogramTable(rows, [explicit]);
}

function takeAgain(table: Table): boolean {
  writeAgain(table);
  return true;
}

function takeHistograms(table: HistogramTable): boolean {
  const batcher = new Batcher({ maxPoints: 8192, maxBytes: 2 ** 20 }, () => {});
  batcher.addHistograms(table);
  batcher.flush();
  return true;
}
