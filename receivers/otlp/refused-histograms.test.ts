import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HistogramTable } from '../../src/model/histogram-table.js';
import { delta, explicit, exponential, histogram, openHistograms } from './histograms.fixture.js';
import { createIntake } from './intake.fixture.js';
import { convertJsonRequest } from './json-request.js';
import { encodeRequest, type Described } from './request.fixture.js';

const taken = { kind: 'taken', rejected: 0, message: '' };

const sideAt = (offset: number) => ({ scale: 0, positive: { offset, bucketCounts: [1] } });
const jsonWithCounts = (bucketCounts: unknown) =>
  JSON.stringify({
    resourceMetrics: [
      { scopeMetrics: [{ metrics: [{ name: 'h', histogram: { dataPoints: [{ bucketCounts }] } }] }] },
    ],
  });

test('take rejects invalid histograms, each with its reason', async (t) => {
  const { send, histograms } = openHistograms(t);
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

test('take refuses a request whose histograms have no room, and takes all of it when it is repeated', async (t) => {
  let isFull = true;
  const { collector, ...rest } = openHistograms(t);
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

test('convertJsonRequest encodes JSON histograms like the official encoder', async (t) => {
  const { intake, histograms } = openHistograms(t);
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
