import type { ChildEnd } from '../linux/held-child.js';
import type { CommandCpuTime } from './command-cpu.js';
import type { CommandCounts } from './command-events.js';
import type { DomainEnergy } from './domain-meter.js';
import type { EnergyBook } from './energy-book.js';
import type { RunRecord } from './measure-run.js';

/** What a domain used in a run. */
export interface DomainReport extends DomainEnergy {
  readonly meanWatts: number;
  /** Standard error at the two edges of the run; undefined for an estimate, whose error is that of its model. */
  readonly uncertaintyJoules: number | undefined;
}

/** The machine right before a run. */
export interface Baseline {
  readonly seconds: number;
  readonly watts: number;
  /** What the run used beyond it, in joules. */
  readonly netJoules: number;
}

/** Where the energy of the machine went, in joules. */
export interface Shares {
  readonly command: number;
  /** What the machine would have used with nothing to run, as far as that is known. */
  readonly idle: number;
  /** Whatever else ran, this program included. */
  readonly others: number;
}

/** Energy of a run. */
export interface EnergyReport {
  readonly method: 'measured' | 'estimated' | 'mixed';
  /** Of the whole machine: domains do not overlap. */
  readonly joules: number;
  readonly domains: readonly DomainReport[];
  /** Where it went; undefined where nobody attributes. */
  readonly shares: Shares | undefined;
  /** Whether what the machine uses when idle is known, and is no part of the command's share. */
  readonly isIdleKnown: boolean;
  readonly baseline: Baseline | undefined;
}

/** Everything that is said about one run. */
export interface RunReport {
  readonly startedAt: Date;
  readonly end: ChildEnd;
  readonly wallSeconds: number;
  readonly cpu: CommandCpuTime;
  /** Undefined where no events were asked for. */
  readonly counts: CommandCounts | undefined;
  readonly maxRssBytes: number | undefined;
  /** Undefined where this machine has no meter and no estimate. */
  readonly energy: EnergyReport | undefined;
}

/** RAPL updates about every millisecond; an edge falls anywhere between two: 0.41 P refresh (ledger.md section 8). */
const edgeError = 0.41;

/** @param book of the session, which is closed */
export function reportRun(record: RunRecord, book: EnergyBook): RunReport {
  const { startedAt, wallSeconds, end, cpu, counts, maxRssBytes } = record;
  return { startedAt, wallSeconds, end, cpu, counts, maxRssBytes, energy: reportEnergy(record, book) };
}

function reportEnergy(record: RunRecord, book: EnergyBook): EnergyReport | undefined {
  const { mark, baselineMark } = record;
  const seconds = book.secondsFrom(mark);
  const domains = book.domainsFrom(mark).map((domain) => reportDomain(domain, seconds));
  if (domains.length === 0) return undefined;
  const joules = sumJoules(domains);
  return {
    method: describeMethod(domains),
    joules,
    domains,
    shares: book.isAttributed ? reportShares(record, book, joules) : undefined,
    isIdleKnown: book.isIdleKnown,
    baseline:
      baselineMark === undefined ? undefined : reportBaseline(book, baselineMark, { joules, seconds }),
  };
}

function reportShares({ mark, identity }: RunRecord, book: EnergyBook, joules: number): Shares {
  const command = book.attributedTo(identity);
  const idle = book.idleFrom(mark);
  // A window of the ledger may reach a few milliseconds over the run's edges.
  return { command, idle, others: Math.max(0, joules - command - idle) };
}

function reportDomain(domain: DomainEnergy, seconds: number): DomainReport {
  const meanWatts = domain.joules / seconds;
  const uncertaintyJoules = domain.isEstimated
    ? undefined
    : Math.SQRT2 * edgeError * meanWatts * domain.refreshSeconds;
  return { ...domain, meanWatts, uncertaintyJoules, peakWatts: findPeak(domain, meanWatts) };
}

/** The windows of the peak do not reach to the edges of a run, so the mean of the whole may be above each of theirs. */
function findPeak({ peakWatts }: DomainEnergy, meanWatts: number): number | undefined {
  return peakWatts === undefined ? undefined : Math.max(peakWatts, meanWatts);
}

function reportBaseline(
  book: EnergyBook,
  mark: number,
  run: { readonly joules: number; readonly seconds: number },
): Baseline {
  const seconds = book.secondsFrom(mark);
  const watts = sumJoules(book.domainsFrom(mark)) / seconds;
  return { seconds, watts, netJoules: run.joules - watts * run.seconds };
}

function describeMethod(domains: readonly DomainEnergy[]): EnergyReport['method'] {
  const estimated = domains.filter(({ isEstimated }) => isEstimated).length;
  if (estimated === 0) return 'measured';
  return estimated === domains.length ? 'estimated' : 'mixed';
}

function sumJoules(domains: readonly DomainEnergy[]): number {
  return domains.reduce((joules, domain) => joules + domain.joules, 0);
}
