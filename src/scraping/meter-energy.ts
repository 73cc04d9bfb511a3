import { elementAt } from '../element.js';
import { IntegratedPower, type GapLimit } from '../energy/integrated-power.js';
import { IntegratedMeter } from '../energy/meter-row.js';
import { ATTR_ENERGY_INTERFACE, ATTR_ENERGY_METHOD } from '../model/semantic-conventions.js';
import type { Attributes, Resource, Series } from '../model/series.js';
import { meterEnergy } from '../model/shared-metrics.js';
import { Counters } from './counter-table.js';
import { Counts } from './counts.js';
import type { EnergyCount, MeterReading } from './meter-reading.js';

/** Options of a meter's energy. */
export interface MeterEnergyOptions {
  readonly resource: Resource;
  /** `energy.interface`: how the meter is read. */
  readonly interface: string;
  /** For things without an energy counter: maximum time between two readings over which power is integrated. */
  readonly maxGapMs: GapLimit;
}

/** The instant of a reading. */
export interface ReadingTime {
  /** Unix time in nanoseconds. */
  readonly at: bigint;
  /** The same instant on a monotonic clock, in nanoseconds below 2^53. */
  readonly atNs: number;
  /** Whether the meter has restarted since the previous reading. */
  readonly isRestarted: boolean;
}

/** Energy from a counter, in steps of the meter, from its first reading on. */
interface Counted {
  readonly counters: Counters;
  readonly joules: number;
  count: number;
}

/**
 * The energy of one thing that a meter measures: by its counter, or else integrated from its power. A counter
 * that decreases or was lost by the meter starts a new series, and so does power after a long gap.
 */
export class MeterEnergy {
  /** Undefined: neither energy nor power has been read. */
  series: Series | undefined;
  /** The latest value in joules; NaN: a gap. */
  value = NaN;
  readonly #attributes: Attributes;
  readonly #options: MeterEnergyOptions;
  readonly #counts = new Counts(1);
  #counted: Counted | undefined;
  #integrated: IntegratedMeter | undefined;

  /** @param attributes of the thing */
  constructor(attributes: Attributes, options: MeterEnergyOptions) {
    this.#attributes = attributes;
    this.#options = options;
  }

  take({ energy, watts = NaN, windowMs }: MeterReading, time: ReadingTime): void {
    if (energy !== undefined && Number.isFinite(energy.count)) this.#count(energy, time);
    else if (this.#counted !== undefined) this.value = NaN;
    else this.#integrate(watts, time, windowMs);
  }

  #count(energy: EnergyCount, { at, isRestarted }: ReadingTime): void {
    this.#counts.set(0, energy.count);
    const counted = this.#counted;
    if (counted === undefined || this.#wasReset(counted, energy, isRestarted)) {
      this.#beginCount(energy, at);
      return;
    }
    counted.counters.update(this.#counts);
    counted.count = energy.count;
    this.value = elementAt(counted.counters.values, 0) * counted.joules;
  }

  #wasReset(before: Counted, { count, joules, isVolatile }: EnergyCount, isRestarted: boolean): boolean {
    if (joules !== before.joules) return true;
    const isLost = isRestarted && (isVolatile === true || count < before.count);
    return isLost || before.counters.wasReset(this.#counts);
  }

  #beginCount({ count, joules, wraps = false, mayFall = 0 }: EnergyCount, start: bigint): void {
    const { resource, interface: name } = this.#options;
    const attributes = describeEnergy(this.#attributes, name);
    const column = { metric: meterEnergy, attributes, perUnit: 1, wraps, mayFall };
    const counters = new Counters([column], { resource, start, counts: this.#counts });
    this.#integrated = undefined;
    this.#counted = { counters, joules, count };
    this.series = elementAt(counters.series, 0);
    this.value = 0;
  }

  /** Reverse power is not counted. */
  #integrate(watts: number, { at, atNs }: ReadingTime, windowMs?: number): void {
    if (this.#integrated === undefined && Number.isNaN(watts)) return;
    this.#integrated ??= this.#beginIntegral(at, windowMs);
    this.value = this.#integrated.take(Math.max(0, watts) * 1e6, at, atNs);
    this.series = this.#integrated.series;
  }

  #beginIntegral(start: bigint, windowMs = 0): IntegratedMeter {
    const { resource, interface: name, maxGapMs } = this.#options;
    const attributes = describeEnergy(this.#attributes, `${name}_power`);
    return new IntegratedMeter(
      { metric: meterEnergy, attributes, resource, start },
      new IntegratedPower({ maxGapMs, windowMs }),
    );
  }
}

/** The attributes of a measured thing, and how its energy was measured. */
export function describeEnergy(attributes: Attributes, energyInterface: string): Attributes {
  return {
    ...attributes,
    [ATTR_ENERGY_METHOD]: 'measured',
    [ATTR_ENERGY_INTERFACE]: energyInterface,
  };
}
