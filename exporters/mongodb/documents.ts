import type { Double, Long } from 'mongodb';
import type { QueuedPoint, SeriesMeta } from './queued-points.js';

export type Driver = typeof import('mongodb');

/** A point in the collection. */
export interface Document {
  /** Only in a regular collection, where it is unique. */
  readonly _id?: string;
  readonly timestamp: Date;
  /** Nanoseconds after the millisecond, which dates cannot represent; absent if 0. */
  readonly nanoseconds?: number;
  readonly meta: Omit<SeriesMeta, 'startMs'> & { readonly start?: Date };
  /** 64 bits for integers. */
  readonly value: Double | Long;
}

const metas = new WeakMap<SeriesMeta, Document['meta']>();

/** The document of a point. */
export function createDocument(driver: Driver, point: QueuedPoint, isTimeSeries: boolean): Document {
  const { unixNs, series, value } = point;
  const ms = unixNs / 1_000_000n;
  const rest = Number(unixNs - ms * 1_000_000n);
  const isExact = series.isInt && Number.isSafeInteger(value);
  return {
    ...(isTimeSeries ? {} : { _id: `${unixNs.toString(36)}-${series.id}` }),
    timestamp: new Date(Number(ms)),
    ...(rest === 0 ? {} : { nanoseconds: rest }),
    meta: metaOf(series.meta),
    value: isExact ? driver.Long.fromNumber(value) : new driver.Double(value),
  };
}

function metaOf(meta: SeriesMeta): Document['meta'] {
  const known = metas.get(meta);
  if (known !== undefined) return known;
  const { startMs, ...rest } = meta;
  const made = startMs === undefined ? rest : { ...rest, start: new Date(startMs) };
  metas.set(meta, made);
  return made;
}
