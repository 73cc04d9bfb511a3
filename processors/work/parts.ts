import { EnergyTotal } from '../../src/energy/energy-total.js';
import { findAttribute } from '../../src/model/group.js';
import { findOrAdd } from '../../src/model/plan.js';
import type { AnySeries, Attributes, Series } from '../../src/model/series.js';
import type { WindowedSource } from '../../src/windows/windowed-source.js';
import type { WorkloadConfig } from './config.js';
import { ATTR_WORK_UNIT } from './metrics.js';

/** A part of the energy: that of a unit and a combination of values of its split attributes. */
export interface Part {
  readonly key: string;
  /** The index of the unit; the background is the last one, and -1 is the undivided rest. */
  readonly unit: number;
  readonly attributes: Attributes;
  readonly plus: Set<WindowedSource>;
  readonly minus: Set<WindowedSource>;
  total: EnergyTotal;
  series: Series | undefined;
}

/** The parts of the energy of one workload, in order of appearance, and the undivided rest. */
export class Parts {
  readonly undivided = createPart(-1, 'undivided', {});
  /** For each part, the growth of its counters in the last window. */
  readonly growth: number[] = [];
  readonly #names: readonly string[];
  readonly #splitBy: readonly string[];
  readonly #onChange: () => void;
  readonly #byKey = new Map<string, Part>();
  #units: number[] = [];

  /**
   * @param names of the units
   * @param onChange called when a part is added or removed
   */
  constructor(
    names: readonly string[],
    { background, split_by: splitBy }: Pick<WorkloadConfig, 'background' | 'split_by'>,
    onChange: () => void,
  ) {
    this.#names = names;
    this.#splitBy = splitBy;
    this.#onChange = onChange;
    if (background) this.#add(names.length, 'background', {});
  }

  /** For each part, the index of its unit. */
  get units(): readonly number[] {
    return this.#units;
  }

  /** All parts except the undivided rest. */
  all(): Iterable<Part> {
    return this.#byKey.values();
  }

  /** The part of a unit's counter, by the values of the unit's split attributes. */
  findOrAdd(unit: number, series: AnySeries): Part {
    const values = this.#splitBy.map((name) => [name, findAttribute(series, name)] as const);
    const attributes = Object.fromEntries(
      values.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
    return this.#add(unit, this.#names[unit], attributes);
  }

  /** Removes a part without counters. */
  remove({ key }: Part): void {
    this.#byKey.delete(key);
    this.growth.length = this.#byKey.size;
    this.#units = Array.from(this.#byKey.values(), ({ unit }) => unit);
    this.#onChange();
  }

  #add(unit: number, name: string, attributes: Attributes): Part {
    return findOrAdd(this.#byKey, JSON.stringify([unit, attributes]), () => {
      this.growth.push(0);
      this.#units.push(unit);
      this.#onChange();
      return createPart(unit, name, attributes);
    });
  }
}

function createPart(unit: number, name: string, attributes: Attributes): Part {
  return {
    key: JSON.stringify([unit, attributes]),
    unit,
    attributes: { [ATTR_WORK_UNIT]: name, ...attributes },
    plus: new Set(),
    minus: new Set(),
    total: new EnergyTotal(),
    series: undefined,
  };
}
