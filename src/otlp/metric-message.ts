import type { MetricFrame } from './templates.js';
import { messageLength, tagOf, wireTypes, writeMessageStart, writeVarint } from './wire.js';

const metricTag = tagOf(2, wireTypes.lengthDelimited);

/** The length of a `metrics` field of a ScopeMetrics, given that of its points. */
export function metricLength(frame: MetricFrame, pointsLength: number): number {
  return messageLength(bodyLength(frame, pointsLength + frame.tail.length));
}

/**
 * Writes what stands before the points of a metric.
 * @returns where the first point goes
 */
export function writeMetricStart(
  target: Buffer,
  at: number,
  frame: MetricFrame,
  pointsLength: number,
): number {
  const dataLength = pointsLength + frame.tail.length;
  const headAt = writeMessageStart(target, at, metricTag, bodyLength(frame, dataLength));
  target.set(frame.head, headAt);
  return writeVarint(target, headAt + frame.head.length, dataLength);
}

/**
 * Writes what stands after the points of a metric.
 * @returns where the next byte goes
 */
export function writeMetricEnd(target: Buffer, at: number, { tail }: MetricFrame): number {
  target.set(tail, at);
  return at + tail.length;
}

/** The length of a `Metric`, given that of its gauge or sum, whose tag is in the head. */
function bodyLength({ head }: MetricFrame, dataLength: number): number {
  return head.length - 1 + messageLength(dataLength);
}
