import { createPlans } from '../model/plan.js';
import { deriveSeries, type Attributes, type Metric, type Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import { meanRate, type Rate } from './rate.js';

/** How energy counters are converted. */
export interface Rating {
  /** The converted metric of an energy counter; undefined: that energy is not converted. */
  metricOf(energyName: string): Metric | undefined;
  /** Added to those of the energy counter. */
  readonly attributes: Attributes;
  readonly rate: Rate;
}

/** State of all counters in one array, to avoid allocations. */
const [base, anchor, last, lastAt, factor] = [0, 1, 2, 3, 4] as const;
const width = 5;

interface Plan {
  /** Columns of the input table. */
  readonly columns: Int32Array;
  /** The index of each column's state. */
  readonly states: Int32Array;
  readonly series: readonly Series[];
}

interface Rated {
  readonly series: Series;
  readonly state: number;
}

/**
 * Multiplies the growth of energy counters by a rate that changes with time. Between two changes, the value is
 * that at the last change plus the factor times the energy since, so that rounding does not accumulate. If the
 * rate changes between two readings, their energy is multiplied by the mean rate over that time.
 */
export class RatedEnergy {
  readonly #rating: Rating;
  readonly #rated = new Map<Series, Rated>();
  readonly #free: number[] = [];
  readonly #planOf = createPlans((series: readonly Series[]) => this.#createPlan(series));
  #states = new Float64Array(64 * width);
  #used = 0;

  constructor(rating: Rating) {
    this.#rating = rating;
  }

  /** @returns the converted columns of a table; undefined if it has none */
  apply(table: Table): Table | undefined {
    const plan = this.#planOf(table.series);
    const values = this.#rate(table, plan);
    const ended = table.ended?.flatMap((series) => this.#end(series)) ?? [];
    if (plan.series.length === 0 && ended.length === 0) return undefined;
    const offsets = plan.series.length === 0 ? new Float64Array(0) : table.offsets;
    return { series: plan.series, epoch: table.epoch, offsets, values, ...(ended.length > 0 && { ended }) };
  }

  #rate({ epoch, offsets, values, series: { length: stride } }: Table, plan: Plan): Float64Array {
    const { columns, states } = plan;
    const { rate } = this.#rating;
    const rated = new Float64Array(columns.length === 0 ? 0 : offsets.length * columns.length);
    const epochNs = Number(epoch);
    let [since, until] = [-Infinity, -Infinity];
    let now = NaN;
    for (let row = 0, to = 0; row < offsets.length && columns.length > 0; row++) {
      const at = epochNs + offsets[row];
      if (at >= until) {
        now = rate.at(at);
        since = rate.since;
        until = rate.until;
      }
      for (let i = 0; i < columns.length; i++) {
        const joules = values[row * stride + columns[i]];
        const state = states[i];
        if (Number.isNaN(joules) || Number.isNaN(now)) {
          rated[to++] = NaN;
          continue;
        }
        // The same factor may have been interrupted by another one.
        const isSame = now === this.#states[state + factor] && since <= this.#states[state + lastAt];
        if (!isSame || joules < this.#states[state + last]) {
          this.#change(state, Float64Array.of(at, joules, now));
        }
        rated[to++] = this.#states[state + base] + (joules - this.#states[state + anchor]) * now;
        this.#states[state + last] = joules;
        this.#states[state + lastAt] = at;
      }
    }
    return rated;
  }

  /** The rate has changed since the last reading, or the counter decreased: counting continues from here. */
  #change(state: number, [at, joules, now]: Float64Array): void {
    const states = this.#states;
    const before = states[state + factor];
    if (!Number.isNaN(before)) {
      states[state + base] += (states[state + last] - states[state + anchor]) * before;
    }
    const growth = joules - states[state + last];
    if (growth > 0) states[state + base] += growth * meanRate(this.#rating.rate, states[state + lastAt], at);
    states[state + anchor] = joules;
    states[state + factor] = now;
  }

  #createPlan(series: readonly Series[]): Plan {
    const found = series.flatMap((one, column) => {
      const rated = this.#find(one);
      return rated ? [{ column, ...rated }] : [];
    });
    return {
      columns: Int32Array.from(found, ({ column }) => column),
      states: Int32Array.from(found, ({ state }) => state),
      series: found.map((one) => one.series),
    };
  }

  #find(energy: Series): Rated | undefined {
    const known = this.#rated.get(energy);
    const metric = this.#rating.metricOf(energy.metric.name);
    if (known !== undefined || metric === undefined) return known;
    const attributes = { ...energy.attributes, ...this.#rating.attributes };
    const rated = { series: deriveSeries(energy, { metric, attributes }), state: this.#claimState() };
    this.#states.fill(0, rated.state, rated.state + width);
    this.#states[rated.state + lastAt] = Number(energy.start);
    this.#states[rated.state + factor] = NaN;
    this.#rated.set(energy, rated);
    return rated;
  }

  #claimState(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const state = this.#used;
    this.#used += width;
    if (this.#used > this.#states.length) {
      const larger = new Float64Array(2 * this.#states.length);
      larger.set(this.#states);
      this.#states = larger;
    }
    return state;
  }

  #end(energy: Series): readonly Series[] {
    const rated = this.#rated.get(energy);
    if (rated === undefined) return [];
    this.#rated.delete(energy);
    this.#free.push(rated.state);
    return [rated.series];
  }
}
