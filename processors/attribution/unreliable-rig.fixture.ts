import { hwEnergy } from '../../src/model/shared-metrics.js';
import type { Table } from '../../src/model/table.js';
import { gpuTime } from '../../src/model/usage-metrics.js';
import { createRandom, type Random } from '../../src/testing/random.fixture.js';
import { Rig } from './rig.fixture.js';

const values = [Infinity, -Infinity, NaN, -1, 1e300];

/**
 * A rig in which tables of energy and of GPUs arrive late, though in order, tables arrive twice, and values are
 * not finite or otherwise impossible.
 */
export class UnreliableRig extends Rig {
  readonly #random: Random;
  readonly #held = new Map<string, Table[]>();

  constructor(seed: number, settings: object) {
    super(settings);
    this.#random = createRandom(seed + 2e6);
  }

  override consume(table: Table): void {
    const name = (table.series[0] ?? table.ended?.[0])?.metric.name ?? '';
    const isDelayed = name === hwEnergy.name || name === gpuTime.name;
    const spoiled = this.#spoil(table);
    if (isDelayed) this.#heldOf(name).push(spoiled);
    else this.#deliver(spoiled);
    for (const held of this.#held.values()) if (this.#random.chance(0.6)) this.#deliverAll(held);
  }

  /** Delivers everything that is late. */
  flush(): void {
    for (const held of this.#held.values()) this.#deliverAll(held);
  }

  #heldOf(name: string): Table[] {
    const held = this.#held.get(name) ?? [];
    this.#held.set(name, held);
    return held;
  }

  #deliverAll(held: Table[]): void {
    for (const table of held.splice(0)) this.#deliver(table);
  }

  #deliver(table: Table): void {
    super.consume(table);
    if (table.ended === undefined && this.#random.chance(0.03)) super.consume(table);
  }

  #spoil(table: Table): Table {
    if (table.values.length === 0 || !this.#random.chance(0.02)) return table;
    const spoiled = table.values.slice();
    spoiled[this.#random.whole(spoiled.length)] = this.#random.pick(values);
    return { ...table, values: spoiled };
  }
}
