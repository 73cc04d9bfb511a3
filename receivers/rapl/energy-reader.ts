import type { Domain, InterfaceName } from './domain.js';

/** The open counters of one interface. */
export interface EnergyReader {
  readonly interface: InterfaceName;
  /** One per value, in order. */
  readonly domains: readonly Domain[];
  /** Whether the last reading gave nothing at all, as when a driver was unloaded. */
  readonly isSilent: boolean;
  /**
   * Reads every counter once and writes joules since the first reading, NaN for a failed one. Allocates nothing.
   * @returns false when a counter began anew: what was written does not count, `restart` comes next
   */
  read(values: Float64Array, at: number): boolean;
  /** Lets every counter begin at 0 with the next reading. */
  restart(): void;
  close(): void;
}
