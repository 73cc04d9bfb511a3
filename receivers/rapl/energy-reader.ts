import type { Domain, InterfaceName } from './domain.js';
import type { LeftOut, Note } from './metrics.js';

/** The open counters of one interface. */
export interface EnergyReader {
  readonly interface: InterfaceName;
  /** One per value, in order. */
  readonly domains: readonly Domain[];
  /** Where each is read: `intel-rapl:0`, `energy-pkg on cpu 0`. */
  readonly sources: readonly string[];
  /** The zone's folder of each; empty where there is none. */
  readonly paths: readonly string[];
  /** One number per value, another one since its counter began anew. No two counters ever have the same. */
  readonly lives: readonly number[];
  /** Whether the last reading gave nothing at all, as when a driver was unloaded. */
  readonly isSilent: boolean;
  /** Whether a counter gave nothing at the last reading. */
  readonly hasGap: boolean;
  /**
   * Reads every counter once and writes joules since its first reading, NaN for a failed one. Allocates nothing.
   * @returns false when a counter was reset: its life is another one, and what was written counts from `ageMs` ago
   */
  read(values: Float64Array, at: number): boolean;
  /** How long before the last reading the counter of a column was at 0, when it was reset at that reading. */
  ageMs(column: number): number;
  /** Lets one counter begin at 0 with the next reading, as another life. */
  restart(column: number): void;
  /** Other places that show the same domains and are not read. */
  readonly copies: readonly LeftOut[];
  /**
   * Takes the copy of a counter that stands still while the copy counts: another life, which the next reading reports
   * as it does a reset.
   * @returns what people should know of it
   */
  checkCopies(): readonly Note[];
  close(): void;
}

let lives = 0;

/** A number for the life of a counter. */
export function beginLife(): number {
  lives += 1;
  return lives;
}
