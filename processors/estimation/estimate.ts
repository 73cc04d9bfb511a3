import { ModelledEnergy } from '../../src/energy/modelled-energy.js';
import { findOrAdd } from '../../src/model/plan.js';
import { ATTR_HW_PARENT } from '../../src/model/semantic-conventions.js';
import type { Resource, Series } from '../../src/model/series.js';
import { floorPower, meterEnergy } from '../../src/model/shared-metrics.js';
import { readValue, type Table } from '../../src/model/table.js';
import type { Hardware } from './hardware.js';
import type { Place } from './machine.js';

/** The first and the last reading of a series with the utilization; NaN: none. */
export interface Usage {
  first: number;
  last: number;
}

/**
 * The estimated energy of one piece of hardware. Its utilization is the sum of all series that show it, such as the two
 * directions of a port. They may come in several tables.
 */
export class Estimate {
  readonly hardware: Hardware;
  /** Its energy and, if that is attributed to workloads, its idle power. */
  readonly series: readonly Series[];
  readonly #place: Place;
  readonly #energy = new ModelledEnergy();
  readonly #usages: Map<Series, Usage>;
  /** What ended series counted. */
  #retired = 0;
  #idleWatts = NaN;
  #atNs = -Infinity;
  #isLate = false;

  /**
   * @param start Unix time in nanoseconds of the first reading
   * @param before the estimate that this one replaces
   */
  constructor(hardware: Hardware, resource: Resource, start: bigint, before?: Estimate) {
    this.hardware = hardware;
    this.#usages = new Map(before && before.#usages);
    this.#place = hardware.place();
    const { metric, parent } = this.#place;
    const attributes = { ...hardware.attributes, ...(parent !== undefined && { [ATTR_HW_PARENT]: parent }) };
    const metrics = metric === meterEnergy ? [metric] : [metric, floorPower];
    this.series = metrics.map((one) => ({ metric: one, resource, attributes, start }));
  }

  /** Whether the destination of its energy is still correct. */
  get isInPlace(): boolean {
    const { metric, parent } = this.hardware.place();
    return metric === this.#place.metric && parent === this.#place.parent;
  }

  /** Adds a series with the utilization. @returns where its readings are kept */
  join(series: Series): Usage {
    return findOrAdd(this.#usages, series, () => ({ first: NaN, last: NaN }));
  }

  /** A series has ended. What it counted stays. @returns whether it was the last one: the hardware was removed */
  leave(series: Series): boolean {
    const usage = this.#usages.get(series);
    if (usage !== undefined && this.#isCounted && !Number.isNaN(usage.last)) this.#retired += growthOf(usage);
    this.#usages.delete(series);
    if (this.#usages.size > 0) return false;
    this.hardware.whole?.removePart(this.hardware.key);
    return true;
  }

  /** Idle power at the last reading; NaN: there was none. */
  get idleWatts(): number {
    return this.#idleWatts;
  }

  /**
   * Computes the energy by the last readings of all series.
   * @param isKnown whether the row has a reading of each series in its table
   * @param atNs nanoseconds of the row
   * @returns joules since the first reading; NaN: unknown, or the row is not later than one of another table. Its use is
   * in the next row then.
   */
  read(isKnown: boolean, atNs: number): number {
    const units = this.hardware.units();
    this.#isLate = atNs <= this.#atNs;
    if (!isKnown || Number.isNaN(units) || this.#isLate) return NaN;
    this.#atNs = atNs;
    const reading = this.#sum();
    const model = this.hardware.model(reading);
    this.hardware.whole?.setPart(this.hardware.key, model.maxWatts);
    this.#idleWatts = model.idleWatts;
    this.#energy.hold(model, units);
    return this.#energy.update(reading * this.hardware.nsPerReading, atNs);
  }

  /** Whether the last row was not later than one of another table: a series has one value per instant. */
  get isLate(): boolean {
    return this.#isLate;
  }

  /** Whether its readings are counts, unlike the size of a memory. */
  get #isCounted(): boolean {
    return this.hardware.nsPerReading > 0;
  }

  #sum(): number {
    let sum = this.#retired;
    // A count starts with its first reading, so that a series that joins later adds no use of the past.
    for (const usage of this.#usages.values()) {
      if (!Number.isNaN(usage.last)) sum += this.#isCounted ? growthOf(usage) : usage.last;
    }
    return sum;
  }
}

/** Takes a reading. @returns whether there is one */
export function takeReading(usage: Usage, table: Table, row: number, column: number): boolean {
  const reading = readValue(table, row, column);
  if (Number.isNaN(reading)) return false;
  if (Number.isNaN(usage.first)) usage.first = reading;
  usage.last = reading;
  return true;
}

function growthOf(usage: Usage): number {
  return usage.last - usage.first;
}
