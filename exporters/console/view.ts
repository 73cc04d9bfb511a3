import type { Listed } from './readings.js';

/** What a summary shows, in SI units. NaN: not known so far. */
export interface View {
  /** Seconds since the collector began to look. */
  readonly elapsed: number;
  readonly domains: readonly DomainView[];
  /** Joules of the domains together, those that are gone included. */
  readonly joules: number;
  readonly parts: readonly PartView[];
  /** How many CPUs are busy, of how many; NaN: unknown. */
  readonly cpu: { readonly busy: number; readonly count: number };
  /** What the rows are: processes, programs, units. */
  readonly listed: Listed;
  /** Those that use most first. */
  readonly processes: readonly ProcessView[];
  /** What all of them use together, listed or not. */
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

/** What is used. */
export interface Use {
  readonly watts: number;
  readonly joules: number;
  /** CPUs used: 1 is all the time of one. */
  readonly cpus: number;
}

/** A process, or a group of them. */
export interface ProcessView extends Use {
  readonly name: string;
  /** Empty for a group. */
  readonly pid: string;
}

/** What all processes use beyond those listed, so that both together are the whole. */
export function restOf(all: Use, listed: readonly Use[]): Use {
  const rest = { ...all };
  for (const { watts, joules, cpus } of listed) {
    rest.watts -= watts || 0;
    rest.joules -= joules || 0;
    rest.cpus -= cpus || 0;
  }
  // CPU time of processes and of the machine is not read at quite the same instants.
  return { watts: Math.max(0, rest.watts), joules: Math.max(0, rest.joules), cpus: Math.max(0, rest.cpus) };
}
