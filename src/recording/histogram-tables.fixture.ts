import {
  HistogramRow,
  HistogramRows,
  type HistogramLayout,
  type HistogramTable,
} from '../model/histogram-table.js';
import { attributesKey, type Attributes, type HistogramKind, type HistogramSeries } from '../model/series.js';
import { fc } from '../testing/fixed-seed.fixture.js';
import { figuresOf } from './histogram-columns.js';

/** All properties of a histogram; undefined: its series ended. */
export interface FlatHistogram {
  readonly metric: HistogramSeries['metric'];
  readonly resource: Attributes;
  readonly attributes: Attributes;
  readonly start: bigint;
  readonly time: bigint;
  readonly figures: Readonly<Record<string, unknown>> | undefined;
}

/** The rows of tables, then the ended series, sorted by instant and name: rows of an instant may be in any order. */
export function flattenHistograms(tables: readonly HistogramTable[]): readonly FlatHistogram[] {
  const row = new HistogramRow();
  const points = tables.flatMap((table) => {
    const latest = table.offsets.reduce((most, one) => Math.max(most, one), 0);
    const rows = table.series.map((series, number) => {
      const figures = Object.entries(figuresOf(row.read(table, number))).map(([name, figure]) => [
        name,
        typeof figure === 'object' ? [...figure] : figure,
      ]);
      // Has the fields of the columns.
      const plain = Object.fromEntries(figures) as Readonly<Record<string, unknown>>;
      return flat(series, table.epoch + BigInt(table.offsets[number]), plain);
    });
    return [...rows, ...(table.ended ?? []).map((one) => flat(one, table.epoch + BigInt(latest), undefined))];
  });
  return points.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function flat(
  { metric, resource, attributes, start }: HistogramSeries,
  time: bigint,
  figures: FlatHistogram['figures'],
): FlatHistogram {
  return { metric: { ...metric }, resource: resource.attributes, attributes, start, time, figures };
}

function keyOf({ metric, resource, attributes, time, figures }: FlatHistogram): string {
  const identity = JSON.stringify([metric, attributesKey(resource), attributesKey(attributes)]);
  return `${time.toString().padStart(20, '0')} ${figures === undefined ? 1 : 0} ${identity}`;
}

const attributes: fc.Arbitrary<Attributes> = fc
  .dictionary(
    fc.constantFrom('a,b', 'say "x"', '=1+1', 'é😀', 'hw.id'),
    fc.constantFrom('', "'-x", 7, true),
    {
      maxKeys: 2,
    },
  )
  .map((plain) => Object.fromEntries(Object.entries(plain)));

const anyCount = fc.oneof(fc.nat(20), fc.constantFrom(0, 2 ** 52, 2 ** 40 + 1));
const anyDouble = fc.oneof(
  fc.double(),
  fc.constantFrom(NaN, 0, -0, 5e-324, 1.7976931348623157e308, -Infinity, Infinity, 0.1, 1e21),
);
const anySide = fc.record({
  offset: fc.constantFrom(0, -7, 4, 2 ** 31 - 1, -(2 ** 31)),
  counts: fc.array(anyCount, { maxLength: 4 }),
});

interface Shape {
  readonly layout: HistogramLayout;
  readonly buckets: readonly number[];
}

const anyExplicit: fc.Arbitrary<Shape> = fc
  .uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), {
    maxLength: 4,
    comparator: (a, b) => a === b,
  })
  .chain((bounds) =>
    fc.array(anyCount, { minLength: bounds.length + 1, maxLength: bounds.length + 1 }).map((buckets) => ({
      layout: { kind: 'histogram', bounds: Float64Array.from(bounds.toSorted((a, b) => a - b)) },
      buckets,
    })),
  );

const anyExponential: fc.Arbitrary<Shape> = fc
  .record({
    scale: fc.constantFrom(0, 20, -10),
    zeroThreshold: fc.constantFrom(0, 0.25, 1e-300),
    zero: anyCount,
    positive: anySide,
    negative: anySide,
  })
  .map(({ scale, zeroThreshold, zero, positive, negative }) => ({
    layout: {
      kind: 'exponential_histogram',
      scale,
      zeroThreshold,
      positiveOffset: positive.offset,
      positiveCount: positive.counts.length,
      negativeOffset: negative.offset,
      negativeCount: negative.counts.length,
    },
    buckets: [zero, ...positive.counts, ...negative.counts],
  }));

const anyRow = fc.record({
  explicit: anyExplicit,
  exponential: anyExponential,
  sum: anyDouble,
  min: anyDouble,
  max: anyDouble,
  isGap: fc.boolean(),
  isBucketless: fc.boolean(),
});

type RowSeed = typeof anyRow extends fc.Arbitrary<infer Seed> ? Seed : never;

function createRow(kind: HistogramKind, seed: RowSeed): HistogramRow {
  const { layout, buckets } = kind === 'histogram' ? seed.explicit : seed.exponential;
  const row = new HistogramRow();
  if (seed.isGap) return row.clear(layout);
  row.count = buckets.reduce((sum, one) => sum + one, 0);
  row.layout = layout;
  row.buckets = Float64Array.from(buckets);
  const isOne = layout.kind === 'histogram' && layout.bounds.length === 0;
  // A histogram may have a count and no bucket.
  if (isOne && seed.isBucketless) row.buckets = new Float64Array(0);
  [row.sum, row.min, row.max] = [seed.sum, seed.min, seed.max];
  return row;
}

/** Tables of some series of both kinds, some of which end. Instants increase from table to table. */
export const anyHistograms: fc.Arbitrary<readonly HistogramTable[]> = fc
  .record({
    identities: fc.uniqueArray(
      fc.tuple(fc.constantFrom('histogram', 'exponential_histogram'), attributes, attributes),
      {
        minLength: 1,
        maxLength: 4,
        selector: ([kind, ...rest]) => JSON.stringify([kind, ...rest.map(attributesKey)]),
      },
    ),
    seeds: fc.array(fc.array(anyRow, { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
    isLast: fc.boolean(),
  })
  .map(({ identities, seeds, isLast }) => {
    const resources = new Map<string, HistogramSeries['resource']>();
    const series = identities.map(([kind, own, ofResource], i): HistogramSeries => {
      const key = attributesKey(ofResource);
      const resource = resources.get(key) ?? { attributes: ofResource };
      resources.set(key, resource);
      const metric = {
        name: `odd (s), "${kind}"`,
        unit: i % 2 === 0 ? 's' : '',
        description: 'What it is',
        kind,
      };
      return { metric, resource, attributes: own, start: BigInt(i) * 1_700_000_000_123_456_789n };
    });
    return seeds.map((rows, second) => {
      const table = new HistogramRows();
      for (const [i, one] of series.entries()) table.add(one, i, createRow(one.metric.kind, rows[i]));
      const isEnd = isLast && second === seeds.length - 1;
      const at = 1_800_000_000_123_456_789n + BigInt(second) * 1_000_000_000n;
      return { ...table.take(at), ...(isEnd && { ended: series }) };
    });
  });
