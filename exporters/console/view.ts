import type { Listed } from './readings.js';

/** What a summary shows, in SI units. NaN: not known yet. */
export interface View {
  /** Seconds since the collector started. */
  readonly elapsed: number;
  readonly domains: readonly DomainView[];
  /** Joules of all domains, including ended ones. */
  readonly joules: number;
  readonly parts: readonly PartView[];
  /** Number of busy CPUs and number of CPUs; NaN: unknown. */
  readonly cpu: { readonly busy: number; readonly count: number };
  /** What the rows are: processes, programs, units. */
  readonly listed: Listed;
  /** Those that use most first. */
  readonly processes: readonly ProcessView[];
  /** The use of all of them, listed or not. */
  readonly all: Use;
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

/** Power, energy and CPU use. */
export interface Use {
  readonly watts: number;
  readonly joules: number;
  /** CPUs used; 1 is one CPU all the time. */
  readonly cpus: number;
}

/** A process, or a group of them. */
export interface ProcessView extends Use {
  readonly name: string;
  /** Empty for a group. */
  readonly pid: string;
}

/** Use of all processes beyond those listed, so that the two add up to the whole. */
export function restOf(all: Use, listed: readonly Use[]): Use {
  const rest = { ...all };
  for (const { watts, joules, cpus } of listed) {
    rest.watts -= watts || 0;
    rest.joules -= joules || 0;
    rest.cpus -= cpus || 0;
  }
  // CPU times of processes and of the machine are not read at exactly the same instant.
  return { watts: Math.max(0, rest.watts), joules: Math.max(0, rest.joules), cpus: Math.max(0, rest.cpus) };
}
