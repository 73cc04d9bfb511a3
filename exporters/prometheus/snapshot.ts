import { meterNames } from '../../src/model/energy-names.js';
import type { Attributes } from '../../src/model/series.js';
import { floorPower } from '../../src/model/shared-metrics.js';
import type { EnergyHistory } from './energy-history.js';
import type { Block, Entry, Family } from './families.js';
import type { HistogramLines } from './histograms.js';

/** The lines of a family at one instant. */
export interface FamilyLines {
  readonly family: Family;
  readonly blocks: readonly BlockLines[];
}

/** Lines with consecutive values. */
export interface BlockLines {
  readonly block: Block;
  readonly entries: readonly Entry[];
  /** The index of their first value. */
  readonly at: number;
}

/** An immutable copy of everything on a page, at one instant. */
export interface Snapshot {
  /** The resource attributes of the machine. */
  readonly host: Attributes;
  /** Sorted by name, without families that have no line. */
  readonly families: readonly FamilyLines[];
  readonly histograms: readonly HistogramLines[];
  /** Of all lines. NaN: the line does not exist. */
  readonly values: Float64Array;
  /** Whether counters have a line with their start, if the format has such lines. */
  readonly hasStarts: boolean;
  /** Whether it contains energy. */
  readonly hasEnergy: boolean;
}

/** Copies the values of families into one array. */
export class SnapshotBuilder {
  readonly values: Float64Array;
  readonly #energy: EnergyHistory;
  /** Number of lines with a value. */
  lines = 0;
  hasEnergy = false;
  #at = 0;

  constructor(lines: number, energy: EnergyHistory) {
    this.values = new Float64Array(lines);
    this.#energy = energy;
  }

  /** @returns undefined if no line has a value */
  take(family: Family): FamilyLines | undefined {
    const [from, before] = [this.#at, this.lines];
    const blocks = Array.from(family.blocks, (block) => this.#takeBlock(block));
    if (meterNames.has(family.metric.name)) this.#settle(blocks);
    if (this.lines === before) return undefined;
    this.hasEnergy ||=
      showsEnergy(family) && this.values.subarray(from, this.#at).some((value) => Math.abs(value) > 0);
    return { family, blocks };
  }

  #takeBlock(block: Block): BlockLines {
    const { values } = this;
    const at = this.#at;
    this.#at += block.size;
    values.set(block.values.subarray(0, block.size), at);
    for (let i = at; i < this.#at; i++) if (!Number.isNaN(values[i])) this.lines += 1;
    return { block, entries: block.take(), at };
  }

  /** Shows meters as of the end of their ledger's last window. */
  #settle(blocks: readonly BlockLines[]): void {
    const { values } = this;
    for (const { entries, at } of blocks) {
      for (const [i, { series }] of entries.entries()) {
        values[at + i] = this.#energy.show(series, values[at + i]);
      }
    }
  }
}

/** Whether its samples are joules or watts of this machine: not its floor, which is a setting or a model. */
function showsEnergy({ metric: { unit, name } }: Family): boolean {
  return (unit === 'J' || unit === 'W') && name !== floorPower.name;
}
