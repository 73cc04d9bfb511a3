// The lines of an audit file (docs/ledger.md, Audit), and the results of checking them.

/** The sheet of a window. Integers are nanoseconds and nanojoules. */
export interface WindowSheet {
  readonly from: number;
  readonly to: number;
  /** The value of the curve at `from`, the knots around `from` if a curve begins there, and those around `to`. */
  readonly from_nj?: number;
  readonly knots_from?: readonly number[];
  readonly knots_to?: readonly number[];
  readonly energy_nj: number;
  readonly refresh_ns: number;
  readonly floor_w: number | null;
  readonly carry_nj: number;
  /** How it was shared; by events, also the cost of each and its count on the machine. */
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
  /** The part of that which interrupts used, and their time. */
  readonly interrupt_nj?: number;
  readonly interrupt_ns?: number;
  readonly reason: string;
  /** Workload, weight, lifetime and share; if shared by events, also the count of each event. */
  readonly used: readonly (readonly number[])[];
  /** Groups of all views and their parts. */
  readonly parts: readonly (readonly number[])[];
  /** Name, GPU time and part of each instance of a GPU. */
  readonly instances?: readonly (readonly [string, number, number])[];
  /** The error and its inputs. */
  readonly error: number;
  readonly lag_ns: number;
  readonly delay_ns?: number;
  readonly edge_ns: number;
  readonly tick_ns: number;
  readonly step_ns?: number;
  /** Of a remainder: energy of the domains within its meter that is not idle. */
  readonly domains_nj?: number;
  readonly time_share: number;
  readonly floor_error_w: number | null;
  readonly least_w: number | null;
}

/** The description of a domain. */
export interface DomainSheet {
  readonly hw_type: string;
  readonly hw_id: string;
  readonly method: string;
  /** How its energy is shared if nothing else was counted. */
  readonly weights: string;
}

/** A figure that is wrong. */
export interface Difference {
  readonly figure: string;
  readonly expected: string;
  readonly found: string;
  /** Number of the workload or of the group that it belongs to. */
  readonly workload?: number;
  readonly group?: number;
}

/** The state of a domain after a window. */
export interface Course {
  /** The end of the window, the value of the curve there, and the possible carries of the floor (2^-20 nJ). */
  readonly to: number;
  readonly toNj: bigint | undefined;
  readonly carries: readonly bigint[];
  /** The minimum power of its windows so far; null: none was long enough. */
  readonly leastWatts: number | null;
}
