import { Interned } from '../model/interned.js';
import { attributesKey, type Attributes, type Metric, type Resource, type Series } from '../model/series.js';

/**
 * The series of a recording: one object each, from its first point to its end, and one object for each resource,
 * metric and attribute set.
 */
export class SeriesBook {
  readonly #resources = new Interned<Resource>(({ attributes }) => attributesKey(attributes));
  readonly #attributes = new Interned<Attributes>(attributesKey);
  readonly #metrics = new Interned<Metric>(({ name, unit, description, kind, valueType }) =>
    JSON.stringify([name, unit, description, kind, valueType]),
  );
  /** Those that have not ended, by what no two live ones share. */
  readonly #live = new Map<string, Series>();
  /** The same ones: a record that is one of them need not be looked for by its key. */
  readonly #isLive = new Set<Series>();
  readonly #ended = new WeakSet<Series>();

  /** The resource with these attributes. */
  resource(attributes: Attributes): Resource {
    return this.#resources.find({ attributes });
  }

  /** The attribute set like this one. */
  attributes(attributes: Attributes): Attributes {
    return this.#attributes.find(attributes);
  }

  /** The metric like this one. */
  metric(metric: Metric): Metric {
    return this.#metrics.find(metric);
  }

  /** The live series like this one; the record itself where there is none. */
  find(record: Series): Series {
    const known = this.#live.get(this.#keyOf(record));
    return known && isLike(known, record) ? known : record;
  }

  /**
   * Finds the live series like this one, or begins it.
   * @param record made of what this book gave
   * @returns with it the one whose place it takes: the same one with another start
   */
  open(record: Series): { readonly series: Series; readonly replaced: Series | undefined } {
    if (this.#isLive.has(record)) return { series: record, replaced: undefined };
    const key = this.#keyOf(record);
    const known = this.#live.get(key);
    if (known && isLike(known, record)) return { series: known, replaced: undefined };
    // What ends and begins again is another series, also in the same words.
    const series = this.#ended.has(record) ? { ...record } : record;
    this.#live.set(key, series);
    this.#isLive.add(series);
    if (known) this.#end(known);
    else this.#resources.retain(series.resource);
    return { series, replaced: known };
  }

  /**
   * Ends the live series like this one.
   * @returns undefined where there is none
   */
  close(record: Series): Series | undefined {
    const key = this.#keyOf(record);
    const known = this.#live.get(key);
    if (known === undefined || known.start !== record.start) return undefined;
    this.#live.delete(key);
    this.#end(known);
    // A recording has many processes, most of them gone.
    this.#resources.release(known.resource);
    return known;
  }

  #end(series: Series): void {
    this.#isLive.delete(series);
    this.#ended.add(series);
  }

  #keyOf({ metric, resource, attributes }: Series): string {
    return `${this.#resources.idOf(resource)} ${this.#attributes.idOf(attributes)} ${metric.name}`;
  }
}

/** Points without a value do not tell whether their metric has whole numbers. */
function isLike(known: Series, record: Series): boolean {
  return known.start === record.start && known.metric.kind === record.metric.kind;
}
