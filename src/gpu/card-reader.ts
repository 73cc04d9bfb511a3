import { describeError } from '../errors.js';
import { isAbsent, KeptFile } from '../linux/kept-file.js';
import { readLine } from '../scraping/file-gauges.js';
import type { Card } from './cards.js';
import type { Device, ProcessUsage } from './protocol.js';
import { UnseenUse } from './unseen-use.js';

/** A part of a card that is read in one step. */
export interface CardFeature {
  /** See `columns.ts`. */
  readonly columns: readonly string[];
  /**
   * Writes the values of its columns.
   * @throws Error if they cannot be read
   */
  read(values: Float64Array, at: number): void;
  close(): void;
}

/** Reads one card. */
export class CardReader {
  readonly card: Card;
  readonly device: Device;
  readonly #unseen: UnseenUse;
  readonly #features: readonly CardFeature[];
  /** Reasons for failures of the last reading. */
  #failures: string[] = [];

  constructor(
    card: Card,
    device: Omit<Device, 'columns' | 'profileColumns'>,
    features: readonly CardFeature[],
  ) {
    this.card = card;
    this.#features = features;
    const columns = features.flatMap((feature) => feature.columns);
    this.device = { ...device, columns, profileColumns: [] };
    this.#unseen = new UnseenUse(columns);
  }

  get failures(): readonly string[] {
    return this.#failures;
  }

  /**
   * Reads every feature independently: NaN for one that cannot be read.
   * @returns whether any could be read
   */
  read(values: Float64Array): boolean {
    this.#failures = [];
    let at = 0;
    let successes = 0;
    for (const feature of this.#features) {
      const end = at + feature.columns.length;
      try {
        feature.read(values, at);
        successes++;
      } catch (error) {
        values.fill(NaN, at, end);
        // The driver has just gone, or the kernel no longer has the file.
        if (!isAbsent(error)) this.#failures.push(describeError(error));
      }
      at = end;
    }
    return successes > 0;
  }

  /** Adds to the activity of processes what the card did besides. @param values of the same time */
  completeUsage(usage: ProcessUsage, values: Float64Array): ProcessUsage {
    return { ...usage, unseen: this.#unseen.take(values, usage) };
  }

  close(): void {
    for (const feature of this.#features) feature.close();
  }
}

/** A whole number in a sysfs file, divided by the units per unit of the column; empty if the file does not exist. */
export function bindFile(column: string, path: string, divisor = 1): readonly CardFeature[] {
  const file = new KeptFile(path);
  const pattern = column.startsWith('temperature.') ? /^-?\d+$/u : /^\d+$/u;
  const read = (): number => {
    const text = readLine(file);
    if (pattern.test(text)) return Number(text) / divisor;
    throw new Error(`Cannot parse ${path}: expected a whole number, found "${text}"`);
  };
  const feature: CardFeature = {
    columns: [column],
    read(values, at) {
      values[at] = read();
    },
    close: () => file.close(),
  };
  return isThere(read) ? [feature] : [];
}

/** Whether a feature exists; one that only failed exists, and is retried at each reading. */
export function isThere(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    return !isAbsent(error);
  }
}
