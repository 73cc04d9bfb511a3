import { deriveSeries, type Attributes, type Resource, type Series } from '../../src/model/series.js';
import type { Decision, Decisions } from './decisions.js';

/** A series with the names of its resource's ids. */
interface Named {
  readonly series: Series;
  readonly decisions: readonly Decision[];
}

interface NamedResource {
  readonly resource: Resource;
  readonly decisions: readonly Decision[];
}

/** The series with the names that were decided for their ids. Each is made once, and keeps its names until it ends. */
export class NamedSeries {
  readonly #decisions: Decisions;
  readonly #plans = new WeakMap<readonly Series[], readonly Series[]>();
  readonly #named = new WeakMap<Series, Named>();
  readonly #resources = new WeakMap<Resource, NamedResource>();

  constructor(decisions: Decisions) {
    this.#decisions = decisions;
  }

  /** Whether a table with these series was forwarded before. */
  hasPlan(series: readonly Series[]): boolean {
    return this.#plans.has(series);
  }

  has(series: Series): boolean {
    return this.#named.has(series);
  }

  /** How a table with these series is forwarded. Their ids have names. */
  planOf(series: readonly Series[]): readonly Series[] {
    const known = this.#plans.get(series);
    if (known) return known;
    const named = series.map((one) => this.name(one));
    const plan = keepSame(series, named);
    this.#plans.set(series, plan);
    return plan;
  }

  name(series: Series): Series {
    const known = this.#named.get(series);
    if (known) return known.series;
    const decisions = this.#decisions.of(series.resource);
    // Most series have no ids: no state is kept for them.
    if (decisions.length === 0) return series;
    this.#decisions.retain(decisions);
    const resource = this.#nameResource(series.resource, decisions);
    const named = resource === series.resource ? series : deriveSeries(series, { resource });
    this.#named.set(series, { series: named, decisions });
    return named;
  }

  /** The named series of those that end, which are forgotten. */
  end(ended: readonly Series[]): readonly Series[] {
    const named = ended.map((series) => {
      const known = this.#named.get(series);
      if (known === undefined) return series;
      this.#named.delete(series);
      this.#decisions.release(known.decisions);
      return known.series;
    });
    return keepSame(ended, named);
  }

  /** One resource object for all series that share one. */
  #nameResource(resource: Resource, decisions: readonly Decision[]): Resource {
    const known = this.#resources.get(resource);
    if (known?.decisions === decisions) return known.resource;
    const names: Attributes = Object.assign({}, ...decisions.map((decision) => decision.names));
    const isNamed = Object.keys(names).some((name) => !(name in resource.attributes));
    // Existing attributes of a resource are not replaced.
    const named = isNamed ? { attributes: { ...names, ...resource.attributes } } : resource;
    this.#resources.set(resource, { resource: named, decisions });
    return named;
  }
}

/** The first array if both have the same series. */
function keepSame(series: readonly Series[], named: readonly Series[]): readonly Series[] {
  return named.every((one, i) => one === series[i]) ? series : named;
}
