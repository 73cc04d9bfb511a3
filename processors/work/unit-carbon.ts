import type { WindowedSource } from '../../src/windows/windowed-source.js';

/** What a window had of energy and work. */
export interface UnitWindow {
  /** Of each unit, whole nanojoules. */
  readonly unitNj: Float64Array;
  /** Growth of each unit. */
  readonly units: Float64Array;
  readonly energyNj: number;
  /** Whether the energy, if there was any, went to units. */
  readonly isDivided: boolean;
}

export interface UnitCarbonOptions {
  readonly width: number;
  /** By what the weight of earlier windows is multiplied at each window. */
  readonly retention: number;
  /** Emissions of making the machine, and the part of them that the workload has. */
  readonly embodied: ReadonlySet<WindowedSource>;
  readonly embodiedShare: number;
}

/**
 * Software Carbon Intensity (ISO/IEC 21031): (E I + M) / R. E I are the emissions of the workload's energy, M its part of
 * the embodied ones of the machine; both go to a unit as its energy does. R is the number of units. Sums
 * over the windows so far, of which old ones lose weight.
 */
export class UnitCarbon {
  readonly #operational = new Set<WindowedSource>();
  readonly #embodied: ReadonlySet<WindowedSource>;
  readonly #embodiedShare: number;
  readonly #retention: number;
  readonly #grams: Float64Array;
  readonly #units: Float64Array;
  /** Emissions of windows with work but no energy, as of a meter that is slower than windows; the next energy has them. */
  #carriedGrams = 0;

  constructor({ width, retention, embodied, embodiedShare }: UnitCarbonOptions) {
    this.#embodied = embodied;
    this.#grams = new Float64Array(width);
    this.#units = new Float64Array(width);
    this.#retention = retention;
    this.#embodiedShare = embodiedShare;
  }

  /** Adds a counter of the emissions of the workload's energy. */
  add(source: WindowedSource): void {
    this.#operational.add(source);
  }

  delete(source: WindowedSource): void {
    this.#operational.delete(source);
  }

  take(window: number, { unitNj, units, energyNj, isDivided }: UnitWindow): void {
    const grams =
      this.#carriedGrams +
      sumGrowth(this.#operational, window) +
      this.#embodiedShare * sumGrowth(this.#embodied, window);
    this.#carriedGrams = 0;
    this.#fade();
    if (!isDivided || Number.isNaN(grams)) return;
    if (energyNj === 0) this.#carriedGrams = grams;
    for (let unit = 0; unit < units.length; unit++) {
      this.#units[unit] += units[unit];
      if (energyNj > 0) this.#grams[unit] += grams * (unitNj[unit] / energyNj);
    }
  }

  /** Grams; NaN: not known yet. */
  perUnit(unit: number): number {
    return this.#operational.size > 0 && this.#units[unit] > 0 ? this.#grams[unit] / this.#units[unit] : NaN;
  }

  #fade(): void {
    for (let unit = 0; unit < this.#units.length; unit++) {
      this.#grams[unit] *= this.#retention;
      this.#units[unit] *= this.#retention;
    }
  }
}

function sumGrowth(sources: ReadonlySet<WindowedSource>, window: number): number {
  let sum = 0;
  for (const source of sources) {
    const growth = source.take(window, 'growth');
    if (!source.isPartial(window) || !Number.isNaN(growth)) sum += growth;
  }
  return sum;
}
