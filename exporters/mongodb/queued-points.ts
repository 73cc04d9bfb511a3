import type { LineFormat } from '../../src/export/line-batcher.js';
import { hashSeries } from '../../src/export/series-hash.js';
import { findOrAdd } from '../../src/model/plan.js';
import type { Attributes, Series } from '../../src/model/series.js';

/** What the points of a series have in common; it becomes `meta` in its documents. */
export interface SeriesMeta {
  readonly metric: string;
  readonly unit: string;
  readonly kind: string;
  /** Counters: Unix time in milliseconds of the start, if it is known. */
  readonly startMs?: number;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A series in the queue. */
export interface QueuedSeries {
  /** Unique for each series. */
  readonly id: string;
  readonly isInt: boolean;
  readonly meta: SeriesMeta;
}

/** A point in the queue. */
export interface QueuedPoint {
  readonly unixNs: bigint;
  readonly series: QueuedSeries;
  readonly value: number;
}

const tab = '\t';

/** The format of points in the queue: instant, series in JSON, and value, separated by tabs, which JSON escapes. */
export const queueFormat: LineFormat = {
  startRow: (unixNs) => `${unixNs}${tab}`,
  describeSeries: (series) => ({ text: describeSeries(series) + tab, formatValue: String }),
  endRow: () => '\n',
};

function describeSeries(series: Series): string {
  const { metric, resource, attributes, start } = series;
  const queued: QueuedSeries = {
    id: hashSeries(series),
    isInt: metric.valueType === 'int',
    meta: {
      metric: metric.name,
      unit: metric.unit,
      kind: metric.kind,
      ...(metric.kind === 'counter' && start !== 0n ? { startMs: Number(start / 1_000_000n) } : {}),
      resource: nestAttributes(resource.attributes),
      attributes: nestAttributes(attributes),
    },
  };
  return JSON.stringify(queued);
}

/**
 * `{'host.name': x}` as `{host: {name: x}}`, so that queries can use `meta.resource.host.name`. A name whose
 * prefix is another full name keeps its dots.
 */
export function nestAttributes(attributes: Attributes): Readonly<Record<string, unknown>> {
  const root = Object.create(null) as Record<string, unknown>;
  const names = Object.keys(attributes);
  for (const name of names) {
    const isCrossed = names.some((other) => name.startsWith(`${other}.`));
    const path = isCrossed ? [name] : name.split('.');
    const last = path.pop() ?? name;
    let parent = root;
    for (const part of path) parent = childOf(parent, part);
    parent[last] = attributes[name];
  }
  return root;
}

/** An object within another; only this file creates such objects. */
function childOf(parent: Record<string, unknown>, name: string): Record<string, unknown> {
  parent[name] ??= Object.create(null);
  return parent[name] as Record<string, unknown>;
}

const lineFeed = 10;

/** Reads points from the queue, a part at a time, with one object for all points of a series. */
export class PointReader {
  readonly #bytes: Buffer;
  readonly #known = new Map<string, QueuedSeries>();
  #at = 0;

  constructor({ buffer, byteOffset, length }: Uint8Array) {
    this.#bytes = Buffer.from(buffer, byteOffset, length);
  }

  /** Skips points. */
  skip(count: number): void {
    for (let left = count; left > 0; left -= 1) this.#at = this.#bytes.indexOf(lineFeed, this.#at) + 1;
  }

  /** The next points, at most this many. */
  take(count: number): readonly QueuedPoint[] {
    const points: QueuedPoint[] = [];
    while (points.length < count && this.#at < this.#bytes.length) {
      const end = this.#bytes.indexOf(lineFeed, this.#at);
      points.push(this.#read(this.#bytes.toString('utf8', this.#at, end)));
      this.#at = end + 1;
    }
    return points;
  }

  #read(line: string): QueuedPoint {
    const [unixNs = '', text = '', value = ''] = line.split(tab);
    // Only this file writes the queue's content.
    const series = findOrAdd(this.#known, text, () => JSON.parse(text) as QueuedSeries);
    return { unixNs: BigInt(unixNs), series, value: Number(value) };
  }
}
