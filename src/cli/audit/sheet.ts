// What the lines of a file of sheets say (docs/ledger.md, Audit), and what is found in them.

/** What a sheet says of a window (docs/ledger.md, Audit). Whole numbers are nanoseconds and nanojoules. */
export interface WindowSheet {
  readonly from: number;
  readonly to: number;
  /** What the curve had at `from`, the knots around `from` where a curve begins, and those around `to`. */
  readonly from_nj?: number;
  readonly knots_from?: readonly number[];
  readonly knots_to?: readonly number[];
  readonly energy_nj: number;
  readonly refresh_ns: number;
  readonly floor_w: number | null;
  readonly carry_nj: number;
  /** By what it was shared; where by events, what each costs and how often the machine had it. */
  readonly weight: string;
  readonly costs?: readonly number[];
  readonly counts?: readonly number[];
  readonly busy_ns: number;
  readonly whole_ns: number;
  readonly is_gap: boolean;
  readonly rest: string;
  readonly idle_nj: number;
  readonly attributed_nj: number;
  readonly unattributed_nj: number;
  /** What of that interrupts used, and for how long they did. */
  readonly interrupt_nj?: number;
  readonly interrupt_ns?: number;
  readonly reason: string;
  /** Workload, weight, lifetime and share of each that has any; where shared by events, how often it had each. */
  readonly used: readonly (readonly number[])[];
  /** Group and its part, of all views. */
  readonly parts: readonly (readonly number[])[];
  /** Name, time of use and part of each instance of a GPU. */
  readonly instances?: readonly (readonly [string, number, number])[];
  /** The error, and what it is computed from. */
  readonly error: number;
  readonly lag_ns: number;
  readonly edge_ns: number;
  readonly tick_ns: number;
  readonly step_ns?: number;
  readonly time_share: number;
  readonly floor_error_w: number | null;
  readonly least_w: number | null;
}

/** What a sheet says of a domain. */
export interface DomainSheet {
  readonly hw_type: string;
  readonly hw_id: string;
  readonly method: string;
  /** By what its energy is shared where nothing else was counted. */
  readonly weights: string;
}

/** A figure that is not what it has to be. */
export interface Difference {
  readonly figure: string;
  readonly expected: string;
  readonly found: string;
  /** Number of the workload or of the group that it is of. */
  readonly workload?: number;
  readonly group?: number;
}

/** What is known of a domain from the windows before. */
export interface Course {
  /** Where the last window ended, what the curve had there, and what may be left of the floor (2^-20 nJ). */
  readonly to: number;
  readonly toNj: bigint | undefined;
  readonly carries: readonly bigint[];
  /** The least power of its windows so far; null: none was long enough. */
  readonly leastWatts: number | null;
}
