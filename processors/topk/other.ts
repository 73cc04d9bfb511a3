import { createPlans } from '../../src/model/plan.js';
import type { Attributes, Resource, Series } from '../../src/model/series.js';
import type { Config } from './config.js';

const value = 'other';

/** Replaces the series of groups without a place: by those of `other`. */
export class Other {
  readonly #groupBy: readonly string[];
  readonly #keep: readonly string[];
  readonly #made = new WeakSet<Series>();
  /** Created once per resource. */
  readonly #resourceOf = createPlans((resource: Resource) => this.#describe(resource));

  constructor({ group_by, keep }: Config) {
    this.#groupBy = group_by;
    this.#keep = keep;
  }

  /** @param start Unix time in nanoseconds at which it starts, if it does not exist yet */
  replace(series: Series, start: bigint): Series {
    const other = this.#create(series, start);
    this.#made.add(other);
    return other;
  }

  /** Whether a series belongs to `other`. */
  has(series: Series): boolean {
    return this.#made.has(series);
  }

  #create({ metric, resource, attributes }: Series, start: bigint): Series {
    const [first = ''] = this.#groupBy;
    const isOfResource = this.#groupBy.some((name) => name in resource.attributes);
    const rest = pick(attributes, (name) => !this.#groupBy.includes(name));
    // If the group is a resource attribute, the resource is replaced, otherwise only the attribute of the
    // series.
    if (isOfResource) return { metric, resource: this.#resourceOf(resource), attributes: rest, start };
    return { metric, resource, attributes: { ...rest, [first]: value }, start };
  }

  #describe({ attributes }: Resource): Resource {
    const [first = ''] = this.#groupBy;
    const kept = pick(attributes, (name) => !this.#groupBy.includes(name) && this.#isKept(name));
    return { attributes: { ...kept, [first]: value } };
  }

  #isKept(name: string): boolean {
    return this.#keep.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === one));
  }
}

function pick(attributes: Attributes, isKept: (name: string) => boolean): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => isKept(name)));
}
