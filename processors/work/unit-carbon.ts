import type { WindowedSource } from '../../src/windows/windowed-source.js';

/** The energy and work of a window. */
export interface UnitWindow {
  /** For each unit, whole nanojoules. */
  readonly unitNj: Float64Array;
  /** Growth of each unit. */
  readonly units: Float64Array;
  readonly energyNj: number;
  /** Whether all energy, if any, was divided among units. */
  readonly isDivided: boolean;
}

export interface UnitCarbonOptions {
  readonly width: number;
  /** Factor by which the weight of earlier windows is reduced at each window. */
  readonly retention: number;
  /** Embodied emissions of the machine, and the fraction of them that the workload bears. */
  readonly embodied: ReadonlySet<WindowedSource>;
  readonly embodiedShare: number;
}

/**
 * Software Carbon Intensity (ISO/IEC 21031): (E I + M) / R. E I is the emissions of the workload's energy, M
 * its share of the machine's embodied emissions; both are divided among units like the energy. R is the number
 * of units. The sums over the windows so far are weighted; old windows lose weight.
 */
export class UnitCarbon {
  readonly #operational = new Set<WindowedSource>();
  readonly #embodied: ReadonlySet<WindowedSource>;
  readonly #embodiedShare: number;
  readonly #retention: number;
  readonly #grams: Float64Array;
  readonly #units: Float64Array;
  /**
   * Emissions of windows with work but no energy, for example with a meter that is slower than windows; they
   * are added to the next energy.
   */
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
