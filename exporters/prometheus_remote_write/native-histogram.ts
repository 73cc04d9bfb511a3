import type { HistogramRow } from '../../src/model/histogram-table.js';
import type { NativeHistogram } from './request-writer.js';

const minSchema = -4;
const maxSchema = 8;

/**
 * An exponential histogram in Prometheus' form, in which bucket `i` ends where OpenTelemetry's bucket `i`
 * starts. Undefined for other histograms and for scales that Prometheus does not support.
 */
export function toNative({ count, sum, layout, buckets }: HistogramRow): NativeHistogram | undefined {
  if (layout.kind !== 'exponential_histogram' || layout.scale < minSchema || layout.scale > maxSchema)
    return undefined;
  const negativeFrom = 1 + layout.positiveCount;
  return {
    count,
    sum,
    schema: layout.scale,
    zeroThreshold: layout.zeroThreshold,
    zeroCount: buckets[0] ?? 0,
    positive: { offset: layout.positiveOffset + 1, counts: buckets.subarray(1, negativeFrom) },
    negative: {
      offset: layout.negativeOffset + 1,
      counts: buckets.subarray(negativeFrom, negativeFrom + layout.negativeCount),
    },
  };
}
