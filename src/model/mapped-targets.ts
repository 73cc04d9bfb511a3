import { MappedSeries } from './mapped-series.js';
import { createPlans, findOrAdd } from './plan.js';
import { attributesKey, publisherOf, resourceKey, type Attributes, type Series } from './series.js';

/** Up to this many series of a resource, as of a process, are looked through. */
const maxFew = 16;

/** A mapped series, or the only series that becomes it. */
export type Target = MappedSeries | Series;

/**
 * Mapped series by what they say of themselves, and their publishers: by resource, so that all processes share the
 * texts of metrics and attributes. A text for each series would take 200 bytes, and a map for each process 300.
 */
export class MappedTargets {
  readonly #mappedOf: (source: Series) => Series;
  readonly #few = new Map<string, readonly Target[]>();
  readonly #many = new Map<string, Map<string, Target>>();

  /** @param mappedOf what the only series of a mapped one becomes */
  constructor(mappedOf: (source: Series) => Series) {
    this.#mappedOf = mappedOf;
  }

  find(mapped: Series): Target | undefined {
    const [key, line] = [resourceKey(mapped.resource), lineKey(mapped)];
    return (
      this.#few.get(key)?.find((target) => lineKey(this.#seriesOf(target)) === line) ??
      this.#many.get(key)?.get(line)
    );
  }

  /** Adds a mapped series that is not found. */
  add(mapped: Series, target: Target): void {
    const key = resourceKey(mapped.resource);
    const few = this.#few.get(key) ?? [];
    // Of an array that is spread or pushed to, V8 keeps room for 16 more.
    if (few.length < maxFew) this.#few.set(key, few.concat([target]));
    else findOrAdd(this.#many, key, () => new Map<string, Target>()).set(lineKey(mapped), target);
  }

  /** Must be called before what its only series becomes is forgotten. */
  remove(mapped: Series): void {
    const key = resourceKey(mapped.resource);
    const few = this.#few.get(key)?.filter((target) => this.#seriesOf(target) !== mapped);
    if (few?.length === 0) this.#few.delete(key);
    else if (few !== undefined) this.#few.set(key, few);
    const many = this.#many.get(key);
    const target = many?.get(lineKey(mapped));
    if (target !== undefined && this.#seriesOf(target) === mapped) many?.delete(lineKey(mapped));
    if (many?.size === 0) this.#many.delete(key);
  }

  #seriesOf(target: Target): Series {
    return target instanceof MappedSeries ? target.series : this.#mappedOf(target);
  }
}

/** By the object that holds the attributes, which receivers share among series: texts by the names of metrics. */
const lineKeys = createPlans((_attributes: Attributes) => new Map<string, string>());

function lineKey(mapped: Series): string {
  const { metric, attributes } = mapped;
  const key = findOrAdd(
    lineKeys(attributes),
    metric.name,
    () => `${metric.name}\n${attributesKey(attributes)}`,
  );
  const publisher = publisherOf(mapped);
  return publisher === undefined ? key : `${key}\n${publisher}`;
}
