import { Intake } from '../../receivers/otlp/intake.js';
import { convertJsonRequest } from '../../receivers/otlp/json-request.js';
import type { Consumer } from '../../src/component/consumer.js';
import { createFakeContext } from '../../src/component/fakes.js';
import type { Table } from '../../src/model/table.js';
import { Batcher } from '../../src/otlp/batcher.js';
import type { Target } from './target.js';

const point = {
  startTimeUnixNano: '5',
  timeUnixNano: '10',
  attributes: [{ key: 'a', value: { boolValue: true } }],
};

const jsonRequest = JSON.stringify({
  resourceMetrics: [
    {
      resource: { attributes: [{ key: 'k', value: { arrayValue: { values: [{ intValue: '7' }] } } }] },
      scopeMetrics: [
        {
          scope: { name: 's' },
          metrics: [
            {
              name: 'g',
              unit: 'W',
              gauge: {
                dataPoints: [
                  { ...point, asDouble: 0.5 },
                  { ...point, flags: 1 },
                ],
              },
            },
            {
              name: 'c',
              sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [{ ...point, asInt: '7' }] },
            },
            { name: 'd', sum: { aggregationTemporality: 1, dataPoints: [{ ...point, asInt: '-7' }] } },
            {
              name: 'h',
              histogram: {
                aggregationTemporality: 1,
                dataPoints: [
                  { ...point, count: '3', sum: 4, bucketCounts: ['1', '2'], explicitBounds: [0.5] },
                ],
              },
            },
            {
              name: 'e',
              exponentialHistogram: {
                aggregationTemporality: 2,
                dataPoints: [
                  {
                    ...point,
                    count: '6',
                    scale: 3,
                    zeroCount: '1',
                    positive: { offset: -7, bucketCounts: ['2', '3'] },
                  },
                ],
              },
            },
          ],
        },
      ],
    },
  ],
});

/** Requests to the OTLP receiver. @param next consumes the parsed tables */
export function createOtlpTargets(table: Table, next: Consumer): readonly Target[] {
  const intake = new Intake({ maxSeries: 1000, expiryMs: 60_000 }, createFakeContext(), next);
  const take = async (bytes: Uint8Array) => {
    const outcome = await intake.take(bytes);
    if (outcome.kind === 'failed') throw new TypeError(outcome.message);
  };
  return [
    {
      name: 'OTLP requests',
      examples: [encode(table), convertJsonRequest(jsonRequest)],
      parse: take,
    },
    {
      name: 'OTLP requests in JSON',
      examples: [Buffer.from(jsonRequest)],
      mayThrow: [RangeError],
      parse: (input) => take(convertJsonRequest(input.toString())),
    },
  ];
}

function encode(table: Table): Buffer {
  const parts: Buffer[] = [];
  const batcher = new Batcher({ maxPoints: 8192, maxBytes: 2 ** 20 }, ({ bytes }) =>
    parts.push(Buffer.from(bytes)),
  );
  batcher.add(table);
  batcher.flush();
  return Buffer.concat(parts);
}
