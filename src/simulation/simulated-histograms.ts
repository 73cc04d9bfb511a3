import {
  HistogramRow,
  HistogramRows,
  type HistogramLayout,
  type HistogramTable,
} from '../model/histogram-table.js';
import { ATTR_SERVICE_NAME } from '../model/semantic-conventions.js';
import type { HistogramKind, HistogramSeries } from '../model/series.js';

const bounds = Float64Array.of(0.005, 0.01, 0.1, 1, 10);

const layouts: Readonly<Record<HistogramKind, HistogramLayout>> = {
  histogram: { kind: 'histogram', bounds },
  exponential_histogram: {
    kind: 'exponential_histogram',
    scale: 1,
    zeroThreshold: 0,
    positiveOffset: -4,
    positiveCount: 5,
    negativeOffset: 0,
    negativeCount: 0,
  },
};

const startNs = 1_800_000_000_000_000_000n;
const buckets = 6;

/** Request durations with explicit and exponential buckets: two readings, a gap, and a reset of both. */
export function simulateHistograms(): readonly HistogramTable[] {
  const resource = { attributes: { [ATTR_SERVICE_NAME]: 'simulated' } };
  const begin = (kind: HistogramKind, start: bigint): HistogramSeries => ({
    metric: { name: `simulated.${kind}`, unit: 's', description: 'Duration of simulated requests', kind },
    resource,
    attributes: { route: '/' },
    start,
  });
  const beginBoth = (start: bigint) => [begin('histogram', start), begin('exponential_histogram', start)];
  const [first, second] = [beginBoth(startNs), beginBoth(startNs + 3_000_000_000n)];
  return [
    readAll(first, startNs + 1_000_000_000n, 1),
    readAll(first, startNs + 2_000_000_000n, 2),
    readAll(first, startNs + 3_000_000_000n, NaN),
    { ...readAll(second, startNs + 4_000_000_000n, 1), ended: first },
  ];
}

/** @param perBucket number of values per bucket; NaN: a gap */
function readAll(series: readonly HistogramSeries[], at: bigint, perBucket: number): HistogramTable {
  const rows = new HistogramRows();
  for (const one of series) {
    const row = new HistogramRow().clear(layouts[one.metric.kind]);
    if (!Number.isNaN(perBucket)) {
      row.count = buckets * perBucket;
      row.sum = row.count / 10;
      row.buckets = new Float64Array(buckets).fill(perBucket);
    }
    rows.add(one, 0, row);
  }
  return { ...rows.take(at), series };
}
