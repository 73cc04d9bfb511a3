import { Interned } from '../model/interned.js';
import {
  attributesKey,
  type AnySeries,
  type Attributes,
  type HistogramMetric,
  type HistogramSeries,
  type Metric,
  type Resource,
  type Series,
} from '../model/series.js';

/** Whether a series has numbers. */
export function isNumberSeries(series: AnySeries): series is Series {
  return 'valueType' in series.metric;
}

/** Whether a series has histograms. */
export function isHistogramSeries(series: AnySeries): series is HistogramSeries {
  return !isNumberSeries(series);
}

/**
 * The series of a recording: one object each, from the first point to the end, and one object for each
 * resource, metric and attribute set.
 */
export class RecordedSeries {
  readonly #resources = new Interned<Resource>(({ attributes }) => attributesKey(attributes));
  readonly #attributes = new Interned<Attributes>(attributesKey);
  readonly #metrics = new Interned<Metric | HistogramMetric>(({ name, unit, description, kind, ...rest }) =>
    JSON.stringify([name, unit, description, kind, 'valueType' in rest ? rest.valueType : '']),
  );
  /** The live series, by a key that no two of them share. */
  readonly #live = new Map<string, AnySeries>();
  /** The same series, as objects: a record that is one of them needs no lookup by key. */
  readonly #isLive = new Set<AnySeries>();
  readonly #ended = new WeakSet<AnySeries>();

  /** The resource with these attributes. */
  resource(attributes: Attributes): Resource {
    return this.#resources.find({ attributes });
  }

  /** The attribute set equal to this one. */
  attributes(attributes: Attributes): Attributes {
    return this.#attributes.find(attributes);
  }

  /** The metric equal to this one. */
  metric<M extends Metric | HistogramMetric>(metric: M): M {
    // Equal metrics have the same kind, and therefore the same fields.
    return this.#metrics.find(metric) as M;
  }

  /** The live series equal to this one; the record itself if there is none. */
  find<S extends AnySeries>(record: S): S {
    const known = this.#findLive(record);
    return known && isLike(known, record) ? known : record;
  }

  /**
   * Finds the live series equal to this one, or adds it.
   * @param record with objects from this book
   * @returns also the series that it replaces: the same one with another start
   */
  open<S extends AnySeries>(record: S): { readonly series: S; readonly replaced: S | undefined } {
    if (this.#isLive.has(record)) return { series: record, replaced: undefined };
    const known = this.#findLive(record);
    if (known && isLike(known, record)) return { series: known, replaced: undefined };
    // A series that restarts after its end is a new object, even with equal fields.
    const series = this.#ended.has(record) ? { ...record } : record;
    this.#live.set(this.#keyOf(record), series);
    this.#isLive.add(series);
    if (known) this.#end(known);
    else this.#resources.retain(series.resource);
    return { series, replaced: known };
  }

  /**
   * Ends the live series equal to this one.
   * @returns undefined if there is none
   */
  close<S extends AnySeries>(record: S): S | undefined {
    const known = this.#findLive(record);
    if (known === undefined || known.start !== record.start) return undefined;
    this.#live.delete(this.#keyOf(record));
    this.#end(known);
    // A recording has many processes, most of which have ended.
    this.#resources.release(known.resource);
    return known;
  }

  /** The key includes the kind of table, so a found series has the same kind. */
  #findLive<S extends AnySeries>(record: S): S | undefined {
    return this.#live.get(this.#keyOf(record)) as S | undefined;
  }

  #end(series: AnySeries): void {
    this.#isLive.delete(series);
    this.#ended.add(series);
  }

  #keyOf(series: AnySeries): string {
    const { metric, resource, attributes } = series;
    const owner = `${this.#resources.idOf(resource)} ${this.#attributes.idOf(attributes)}`;
    return `${owner} ${isHistogramSeries(series) ? 'histogram' : 'number'} ${metric.name}`;
  }
}

/** Points without a value do not show whether their metric has whole numbers. */
function isLike(known: AnySeries, record: AnySeries): boolean {
  return known.start === record.start && known.metric.kind === record.metric.kind;
}
