/** What a summary shows, in SI units. NaN: not known so far. */
export interface View {
  /** Seconds since the collector began to look. */
  readonly elapsed: number;
  readonly domains: readonly DomainView[];
  /** Joules of the domains together, those that are gone included. */
  readonly joules: number;
  readonly parts: readonly PartView[];
  /** How many CPUs are busy, of how many; NaN: nobody knows. */
  readonly cpu: { readonly busy: number; readonly count: number };
  /** Those that use most first. */
  readonly processes: readonly ProcessView[];
}

/** A hardware domain that does not overlap with the others. */
export interface DomainView {
  readonly name: string;
  readonly type: string;
  readonly watts: number;
  readonly joules: number;
  readonly isEstimated: boolean;
}

/** A part of the ledger: attributed, idle or unattributed. */
export interface PartView {
  readonly part: string;
  readonly watts: number;
  readonly joules: number;
}

export interface ProcessView {
  readonly name: string;
  readonly pid: string;
  readonly watts: number;
  readonly joules: number;
  /** CPUs used: 1 is all the time of one. */
  readonly cpus: number;
}
