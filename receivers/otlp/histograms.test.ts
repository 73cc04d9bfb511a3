import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { checkHistograms } from '../../src/model/check-histograms.js';
import { HistogramRow, type HistogramTable } from '../../src/model/histogram-table.js';
import { createIntake } from './intake.fixture.js';
import { convertJsonRequest } from './json-request.js';
import { encodeRequest, type Described, type Point } from './request.fixture.js';

const taken = { kind: 'taken', rejected: 0, message: '' };

/** Rows as `name{attributes} start time count sum min..max buckets`, and `end name`. */
function listHistograms(tables: readonly HistogramTable[]): string[] {
  return tables.flatMap((table) => [
    ...(table.ended ?? []).map(({ metric, start }) => `end ${metric.name} ${start}`),
    ...table.series.map(({ metric, start }, number) => {
      const { count, sum, min, max, buckets } = new HistogramRow().read(table, number);
      const at = table.epoch + BigInt(table.offsets[number]);
      return `${metric.name} ${start} ${at} ${count} ${sum} ${min}..${max} ${buckets.join()}`;
    }),
  ]);
}

function open(
  t: TestContext,
  ...rest: Parameters<typeof createIntake> extends [unknown, ...infer Rest] ? Rest : never
) {
  const parts = createIntake(t, ...rest);
  const all: HistogramTable[] = [];
  return {
    ...parts,
    histograms() {
      const tables = parts.collector.histograms.splice(0);
      all.push(...tables);
      checkHistograms(all);
      return listHistograms(tables);
    },
  };
}

/** A point with buckets up to 1, up to 10 and above. */
function explicit(time: number, buckets: readonly number[], changes: Partial<Point> = {}): Point {
  const { histogram, ...others } = changes;
  const count = buckets.reduce((sum, one) => sum + one, 0);
  const fields = { count, sum: count * 2, explicitBounds: [1, 10], bucketCounts: buckets, ...histogram };
  return { start: 5n, time: BigInt(time), histogram: fields, ...others };
}

const histogram = (...points: readonly Point[]): Described => ({ name: 'h', kind: 'histogram', points });
const delta = (...points: readonly Point[]): Described => ({ ...histogram(...points), temporality: 1 });
const exponential = (...points: readonly Point[]): Described => ({
  name: 'e',
  kind: 'exponentialHistogram',
  points,
});

const bothSeries = (time: number) => [
  explicit(time, [1, 0, 0], { attributes: { i: 1 } }),
  explicit(time, [2, 0, 0], { attributes: { i: 2 } }),
];
const minMax = (min: number, max: number) => ({ histogram: { min, max } });
const deltaAt = (time: number, scale: number, offset: number, bucketCounts: readonly number[]) => ({
  start: BigInt(time - 5),
  time: BigInt(time),
  histogram: {
    count: bucketCounts.reduce((sum, one) => sum + one, 0),
    scale,
    positive: { offset, bucketCounts },
  },
});
const sideAt = (offset: number) => ({ scale: 0, positive: { offset, bucketCounts: [1] } });
const jsonWithCounts = (bucketCounts: unknown) =>
  JSON.stringify({
    resourceMetrics: [
      { scopeMetrics: [{ metrics: [{ name: 'h', histogram: { dataPoints: [{ bucketCounts }] } }] }] },
    ],
  });

test('take forwards histograms with their bounds, figures, unit, start and attributes', async (t) => {
  const { send, collector } = open(t);
  const point = explicit(10, [1, 2, 3], {
    attributes: { route: '/', code: 200 },
    histogram: { sum: 4.5, min: 0.5, max: 99 },
  });
  assert.deepEqual(await send({ ...histogram(point), unit: 's', description: 'd' }), taken);
  const [table] = collector.histograms;
  assert.deepEqual(collector.tables, []);
  assert.deepEqual(table.series, [
    {
      metric: { name: 'h', unit: 's', description: 'd', kind: 'histogram' },
      resource: { attributes: { 'service.name': 'app' } },
      attributes: { route: '/', code: 200 },
      start: 5n,
    },
  ]);
  const layout = { kind: 'histogram', bounds: Float64Array.of(1, 10) };
  assert.deepEqual(
    new HistogramRow().read(table, 0),
    Object.assign(new HistogramRow(), {
      count: 6,
      sum: 4.5,
      min: 0.5,
      max: 99,
      layout,
      buckets: Float64Array.of(1, 2, 3),
    }),
  );
  assert.equal(table.epoch, 10n);
});

test('take forwards exponential histograms with both sides of zero', async (t) => {
  const { send, collector } = open(t);
  const fields = {
    count: 15,
    scale: -2,
    zeroCount: 1,
    zeroThreshold: 0.125,
    positive: { offset: -3, bucketCounts: [2, 0, 3] },
    negative: { offset: 7, bucketCounts: [4, 5] },
  };
  await send(exponential({ start: 5n, time: 10n, attributes: { a: 'b' }, histogram: fields }));
  const [table] = collector.histograms;
  assert.deepEqual(table.series[0].attributes, { a: 'b' });
  const { layout, buckets, count, sum } = new HistogramRow().read(table, 0);
  assert.deepEqual([count, sum, [...buckets]], [15, NaN, [1, 2, 0, 3, 4, 5]]);
  assert.deepEqual(layout, {
    kind: 'exponential_histogram',
    scale: -2,
    zeroThreshold: 0.125,
    positiveOffset: -3,
    positiveCount: 3,
    negativeOffset: 7,
    negativeCount: 2,
  });
});

test('take keeps series, their array and layouts from request to request', async (t) => {
  const { send, collector } = open(t);
  await send(histogram(...bothSeries(10)));
  await send(histogram(...bothSeries(20)));
  const [first, second] = collector.histograms;
  assert.equal(first.series, second.series);
  assert.equal(first.layouts[0], second.layouts[0]);
  assert.equal(first.layouts[0], first.layouts[1]);
});

test('take makes gaps of points without a recorded value, and takes histograms without buckets', async (t) => {
  const { send, histograms } = open(t);
  const bare = { count: 7, sum: 3, explicitBounds: [], bucketCounts: [] };
  await send(
    histogram(
      explicit(10, [1, 0, 0]),
      { start: 5n, time: 20n, flags: 1 },
      explicit(30, [], { attributes: { i: 1 }, histogram: bare }),
      explicit(40, [], { attributes: { i: 1 }, histogram: { ...bare, bucketCounts: [7] } }),
    ),
  );
  assert.deepEqual(histograms(), [
    'h 5 10 1 2 NaN..NaN 1,0,0',
    'h 5 20 NaN NaN NaN..NaN ',
    'h 5 30 7 3 NaN..NaN ',
    'h 5 40 7 3 NaN..NaN ',
  ]);
});

test('take adds deltas up, from the start of the first', async (t) => {
  const { send, histograms } = open(t);
  await send(
    delta(explicit(10, [1, 0, 2], minMax(0.5, 20)), explicit(20, [0, 4, 0], { start: 10n, ...minMax(2, 9) })),
  );
  await send(delta(explicit(30, [0, 0, 1], { start: 20n, ...minMax(70, 70) })));
  assert.deepEqual(histograms(), [
    'h 5 10 3 6 0.5..20 1,0,2',
    'h 5 20 7 14 0.5..20 1,4,2',
    'h 5 30 8 16 0.5..70 1,4,3',
  ]);
  const again = await send(delta(explicit(30, [0, 0, 1], { start: 20n })));
  assert.deepEqual([again, histograms()], [taken, []]);
});

test('take adds exponential deltas up whose scales differ', async (t) => {
  const { send, histograms } = open(t);
  await send({ ...exponential(deltaAt(10, 1, 0, [1, 2, 3, 4])), temporality: 1 });
  await send({ ...exponential(deltaAt(20, 0, 1, [10, 20])), temporality: 1 });
  assert.deepEqual(histograms(), ['e 5 10 10 NaN NaN..NaN 0,1,2,3,4', 'e 5 20 40 NaN NaN..NaN 0,3,17,20']);
});

test('take begins another series where a count falls, a start is later or bounds change', async (t) => {
  const { send, histograms } = open(t);
  await send(histogram(explicit(10, [1, 2, 3])));
  await send(histogram(explicit(20, [1, 0, 0])));
  assert.deepEqual(histograms(), ['h 5 10 6 12 NaN..NaN 1,2,3', 'end h 5', 'h 10 20 1 2 NaN..NaN 1,0,0']);
  await send(histogram(explicit(30, [2, 0, 0], { start: 25n })));
  assert.deepEqual(histograms(), ['end h 10', 'h 25 30 2 4 NaN..NaN 2,0,0']);
  await send(histogram(explicit(40, [3, 0, 0], { start: 25n, histogram: { explicitBounds: [2, 10] } })));
  assert.deepEqual(histograms(), ['end h 25', 'h 25 40 3 6 NaN..NaN 3,0,0']);
  await send(delta(explicit(50, [1, 0, 0], { start: 40n })));
  await send(delta(explicit(60, [1, 0, 0], { start: 50n, histogram: { explicitBounds: [3, 10] } })));
  assert.deepEqual(histograms(), [
    'end h 25',
    'h 40 50 1 2 NaN..NaN 1,0,0',
    'end h 40',
    'h 50 60 1 2 NaN..NaN 1,0,0',
  ]);
});

test('take ends a series between its rows, when it is reset within a request', async (t) => {
  const { send, histograms } = open(t);
  await send(histogram(explicit(10, [5, 0, 0]), explicit(20, [1, 0, 0])));
  assert.deepEqual(histograms(), ['h 5 10 5 10 NaN..NaN 5,0,0', 'end h 5', 'h 10 20 1 2 NaN..NaN 1,0,0']);
});

test('take replaces a sum by a histogram of the same name, and back', async (t) => {
  const { send, histograms, list } = open(t);
  const sum: Described = { name: 'h', kind: 'sum', points: [{ start: 5n, time: 10n, int: 1 }] };
  await send(sum);
  await send(histogram(explicit(20, [1, 0, 0])));
  assert.deepEqual(list(), ['h 5 10 1', 'end h']);
  assert.deepEqual(histograms(), ['h 5 20 1 2 NaN..NaN 1,0,0']);
  await send({ ...sum, points: [{ start: 5n, time: 30n, int: 1 }] });
  assert.deepEqual([list(), histograms()], [['h 5 30 1'], ['end h 5']]);
});

test('take refuses what is no histogram, each with its reason', async (t) => {
  const { send, histograms } = open(t);
  const many = Array.from({ length: 10_001 }, () => 0);
  const refused: readonly (readonly [Described, RegExp])[] = [
    [
      histogram(explicit(10, [1, 2, 3], { histogram: { count: 7 } })),
      /expected buckets that add up to the count/u,
    ],
    [histogram(explicit(10, [1, 2])), /expected one bucket more than bounds/u],
    [
      histogram(explicit(10, [1, 2, 3], { histogram: { explicitBounds: [1, 1] } })),
      /expected bounds that are finite and ascend/u,
    ],
    [
      histogram(explicit(10, [1, 2, 3], { histogram: { explicitBounds: [1, Infinity] } })),
      /expected bounds that are finite/u,
    ],
    [histogram(explicit(10, [1, 2, 3], { histogram: { sum: Infinity } })), /expected a finite value/u],
    [histogram(explicit(10, many)), /expected at most 10,000 buckets/u],
    [histogram(explicit(0, [1, 2, 3])), /expected a time/u],
    [histogram(explicit(4, [1, 2, 3])), /expected a start that is not after the time/u],
    [
      { ...histogram(explicit(10, [1, 2, 3])), temporality: 0 },
      /expected a sum or histogram that is cumulative or delta/u,
    ],
    [exponential({ time: 10n, histogram: { count: 2, ...sideAt(0) } }), /expected buckets that add up/u],
    [
      exponential({ time: 10n, histogram: { count: 1, ...sideAt(0), scale: 21 } }),
      /expected a scale of -10 to 20/u,
    ],
    [
      exponential({ time: 10n, histogram: { count: 1, ...sideAt(0), zeroThreshold: -1 } }),
      /expected a scale/u,
    ],
  ];
  for (const [metric, message] of refused) {
    const outcome = await send(metric);
    assert.equal(outcome.kind, 'taken');
    assert.match(outcome.message, message);
  }
  assert.deepEqual(histograms(), []);
});

test('take refuses a request whose histograms have no room, and takes it as a whole when it is sent again', async (t) => {
  let isFull = true;
  const { collector, ...rest } = open(t);
  const next = {
    consume: collector.consume.bind(collector),
    consumeHistograms(table: HistogramTable) {
      if (isFull && table.series.length > 0) return false;
      return collector.consumeHistograms?.(table) ?? false;
    },
  };
  const { intake } = createIntake(t, {}, {}, next);
  const send = (...metrics: readonly Described[]) => intake.take(encodeRequest({ metrics }));
  const gauge: Described = { name: 'g', points: [{ time: 10n, double: 1 }] };
  const request = [gauge, delta(explicit(10, [1, 0, 0]), explicit(20, [1, 0, 0], { start: 10n }))];
  assert.equal((await send(...request)).kind, 'busy');
  isFull = false;
  assert.deepEqual(await send(...request), taken);
  isFull = true;
  const more = delta(explicit(30, [0, 1, 0], { start: 20n }));
  assert.equal((await send(more)).kind, 'busy');
  isFull = false;
  assert.deepEqual(await send(more), taken);
  assert.deepEqual(rest.list(), ['g 0 10 1']);
  assert.deepEqual(rest.histograms(), [
    'h 5 10 1 2 NaN..NaN 1,0,0',
    'h 5 20 2 4 NaN..NaN 2,0,0',
    'h 5 30 3 6 NaN..NaN 2,1,0',
  ]);
});

test('convertJsonRequest makes of JSON what the official encoder makes of the same histograms', async (t) => {
  const { intake, histograms } = open(t);
  const json = {
    resourceMetrics: [
      {
        scopeMetrics: [
          {
            metrics: [
              {
                name: 'h',
                histogram: {
                  aggregationTemporality: 'AGGREGATION_TEMPORALITY_CUMULATIVE',
                  dataPoints: [
                    {
                      startTimeUnixNano: '5',
                      timeUnixNano: '10',
                      count: '6',
                      sum: 4.5,
                      min: 0.5,
                      max: 99,
                      bucketCounts: ['1', '2', '3'],
                      explicitBounds: [1, 10],
                      attributes: [],
                    },
                    { startTimeUnixNano: '5', timeUnixNano: '20', flags: 1 },
                  ],
                },
              },
              {
                name: 'e',
                exponential_histogram: {
                  aggregation_temporality: 2,
                  data_points: [
                    {
                      time_unix_nano: 10,
                      count: 6,
                      scale: -1,
                      zero_count: '1',
                      zero_threshold: 0.5,
                      positive: { offset: -2, bucket_counts: ['2', 0] },
                      negative: { bucket_counts: [3] },
                    },
                  ],
                },
              },
            ],
          },
        ],
      },
    ],
  };
  assert.deepEqual(await intake.take(convertJsonRequest(JSON.stringify(json))), taken);
  assert.deepEqual(histograms(), [
    'h 5 10 6 4.5 0.5..99 1,2,3',
    'e 0 10 6 NaN NaN..NaN 1,2,0,3',
    'h 5 20 NaN NaN NaN..NaN ',
  ]);
  for (const wrong of [[-1], ['x'], [1.5], [2 ** 70]])
    assert.throws(() => convertJsonRequest(jsonWithCounts(wrong)), /expected counts of 64 bits/u);
});
