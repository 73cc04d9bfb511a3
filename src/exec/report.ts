import type { ChildEnd } from '../linux/held-child.js';
import type { EventUnit } from '../linux/perf/counted-event.js';
import type { CommandCounts } from './command-counters.js';
import { describeProgram } from './command-programs.js';
import type { CommandCpuTime } from './command-usage.js';
import type { DomainEnergy } from './domain-meter.js';
import type { RunRecord } from './measure-run.js';
import { reportPrograms, type ProgramReport } from './program-report.js';
import type { RunRecorder } from './run-recorder.js';
import { hasDrift, summarizeSample, type Difference, type Statistics } from './statistics.js';

/** The energy of a domain in a run. */
export interface DomainReport extends DomainEnergy {
  readonly meanWatts: number;
  /** Standard error at the two edges of the run; undefined for an estimate, whose error is that of its model. */
  readonly uncertaintyJoules: number | undefined;
}

/** The machine right before a run. */
export interface Baseline {
  readonly seconds: number;
  readonly watts: number;
  /** Energy of the run beyond the baseline, in joules. */
  readonly netJoules: number;
}

/** Destinations of the machine's energy, in joules. */
export interface Shares {
  readonly command: number;
  /** Uncertainty of that share; undefined: unknown. */
  readonly commandUncertainty: number | undefined;
  /** Energy of the idle machine, as far as it is known. */
  readonly idle: number;
  /** Everything else that ran, including this program. */
  readonly others: number;
}

/** Energy of a run. */
export interface EnergyReport {
  readonly method: 'measured' | 'estimated' | 'mixed';
  /** Of the whole machine: domains do not overlap. */
  readonly joules: number;
  readonly domains: readonly DomainReport[];
  /** Undefined if nothing is attributed. */
  readonly shares: Shares | undefined;
  /** Whether the idle energy of the machine is known, and not part of the command's share. */
  readonly isIdleKnown: boolean;
  /** Where the idle power comes from: `model`, `persisted` and so on. */
  readonly floorSources: readonly string[];
  readonly baseline: Baseline | undefined;
}

/** Everything reported about one run. */
export interface RunReport {
  readonly startedAt: Date;
  readonly end: ChildEnd;
  readonly wallSeconds: number;
  readonly cpu: CommandCpuTime;
  /** Highest use first; undefined if they cannot be distinguished. */
  readonly programs: readonly ProgramReport[] | undefined;
  /** Undefined if no events were requested. */
  readonly counts: CommandCounts | undefined;
  readonly maxRssBytes: number | undefined;
  /** Undefined if this machine has no meter and no estimate. */
  readonly energy: EnergyReport | undefined;
}

/**
 * An edge is at a random instant between two refreshes of the meter: its error is 0.41 times the power times
 * their interval.
 */
const edgeError = 0.41;

/** @param recorder of the session, which is closed */
export function reportRun(record: RunRecord, recorder: RunRecorder): RunReport {
  const { startedAt, wallSeconds, end, cpu, counts, maxRssBytes } = record;
  const charges = chargePrograms(record, recorder);
  const programs = cpu.source === 'ebpf' ? reportPrograms(record, charges) : undefined;
  return {
    startedAt,
    wallSeconds,
    end,
    cpu,
    programs,
    counts,
    maxRssBytes,
    energy: reportEnergy(record, recorder, charges),
  };
}

/** Joules of each program of the command; undefined if nothing is attributed. */
function chargePrograms(
  { mark, identity, cpu }: RunRecord,
  recorder: RunRecorder,
): readonly number[] | undefined {
  if (!recorder.isAttributed) return undefined;
  const charges = cpu.programs.map(({ name }, i) =>
    recorder.attributedTo(i === 0 ? identity : describeProgram(identity, name)),
  );
  const factor = findFactor(mark, sumOf(charges), recorder);
  return charges.map((joules) => joules * factor);
}

/** The ledger's windows are between refreshes of a slow meter: the energy before and after is shared like theirs. */
function findFactor(mark: number, charged: number, recorder: RunRecorder): number {
  const domains = recorder.domainsFrom(mark);
  const shared = Math.max(recorder.sharedFrom(mark), charged);
  if (shared === 0 || !domains.some(({ isExtended }) => isExtended)) return 1;
  return (sumJoules(domains) - recorder.idleFrom(mark)) / shared;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function reportEnergy(
  { mark, baselineMark }: RunRecord,
  recorder: RunRecorder,
  charges: readonly number[] | undefined,
): EnergyReport | undefined {
  const seconds = recorder.secondsFrom(mark);
  const domains = recorder.domainsFrom(mark).map((domain) => reportDomain(domain, seconds));
  if (domains.length === 0) return undefined;
  const joules = sumJoules(domains);
  return {
    method: describeMethod(domains),
    joules,
    domains,
    shares: charges ? reportShares(domains, sumOf(charges), { mark, recorder }) : undefined,
    isIdleKnown: recorder.isIdleKnown,
    floorSources: recorder.floorSources,
    baseline:
      baselineMark === undefined ? undefined : reportBaseline(recorder, baselineMark, { joules, seconds }),
  };
}

function reportShares(
  domains: readonly DomainReport[],
  command: number,
  { mark, recorder }: { readonly mark: number; readonly recorder: RunRecorder },
): Shares {
  const joules = sumJoules(domains);
  // A window of the ledger may extend a few milliseconds beyond the run.
  const idle = Math.min(recorder.idleFrom(mark), Math.max(0, joules - command));
  const windows = recorder.uncertaintyFrom(mark);
  const edges = domains.map(({ isExtended, uncertaintyJoules = 0 }) => (isExtended ? uncertaintyJoules : 0));
  return {
    command,
    commandUncertainty: windows === undefined ? undefined : Math.hypot(windows, ...edges),
    idle,
    others: Math.max(0, joules - command - idle),
  };
}

function reportDomain(domain: DomainEnergy, seconds: number): DomainReport {
  const meanWatts = domain.joules / seconds;
  const uncertaintyJoules = domain.isEstimated
    ? undefined
    : Math.SQRT2 * edgeError * meanWatts * domain.refreshSeconds;
  return { ...domain, meanWatts, uncertaintyJoules, peakWatts: findPeak(domain, meanWatts) };
}

/** The windows of the peak do not reach the edges of a run, so the mean of the whole run may be higher. */
function findPeak({ peakWatts }: DomainEnergy, meanWatts: number): number | undefined {
  return peakWatts === undefined ? undefined : Math.max(peakWatts, meanWatts);
}

function reportBaseline(
  recorder: RunRecorder,
  mark: number,
  run: { readonly joules: number; readonly seconds: number },
): Baseline {
  const seconds = recorder.secondsFrom(mark);
  const watts = sumJoules(recorder.domainsFrom(mark)) / seconds;
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

/** The statistics of an event over several runs. */
export interface RepeatedEvent {
  readonly name: string;
  readonly unit: EventUnit;
  readonly statistics: Statistics;
}

/** The statistics of several runs. Energies in joules. */
export interface RepeatReport {
  readonly wallSeconds: Statistics;
  readonly cpuSeconds: Statistics;
  /** Of the whole machine. The three are undefined if energy is unknown. */
  readonly machineJoules: Statistics | undefined;
  /** Beyond the baseline immediately before each run. */
  readonly netJoules: Statistics | undefined;
  readonly commandJoules: Statistics | undefined;
  /** Of events that were counted in every run. */
  readonly events: readonly RepeatedEvent[];
  /** Whether energy (without it: time) had a trend from run to run. */
  readonly hasDrift: boolean;
}

/** How the runs of a command differ from those of the first one, in seconds and joules. */
export interface ComparisonReport {
  readonly wallSeconds: Difference | undefined;
  readonly cpuSeconds: Difference | undefined;
  /** The three are undefined if energy is unknown for a run of either. */
  readonly machineJoules: Difference | undefined;
  readonly netJoules: Difference | undefined;
  readonly commandJoules: Difference | undefined;
}

/** Everything that `exec` reports. */
export interface ExecReport {
  /** The command and its arguments. */
  readonly command: readonly string[];
  readonly runs: readonly RunReport[];
  /** Undefined unless repeated runs were requested. */
  readonly repeat: RepeatReport | undefined;
  /** How it differs from the first command, if several were run in turn. */
  readonly comparison?: ComparisonReport | undefined;
}

/** @param runs at least one, in order */
export function reportRepeat(runs: readonly RunReport[]): RepeatReport {
  const wall = runs.map(({ wallSeconds }) => wallSeconds);
  const machine = runs.flatMap(({ energy }) => energy?.joules ?? []);
  const net = runs.flatMap(({ energy }) => energy?.baseline?.netJoules ?? []);
  const command = runs.flatMap(({ energy }) => energy?.shares?.command ?? []);
  return {
    wallSeconds: summarizeSample(wall),
    cpuSeconds: summarizeSample(runs.map(({ cpu }) => cpu.totalNs / 1e9)),
    machineJoules: summariseAny(machine),
    netJoules: summariseAny(net),
    commandJoules: summariseAny(command),
    events: reportEvents(runs),
    hasDrift: hasDrift([net, machine, wall].find((values) => values.length > 0) ?? []),
  };
}

function summariseAny(values: readonly number[]): Statistics | undefined {
  return values.length > 0 ? summarizeSample(values) : undefined;
}

function reportEvents(runs: readonly RunReport[]): readonly RepeatedEvent[] {
  const first = runs[0]?.counts?.events ?? [];
  return first.flatMap(({ name, unit }) => {
    const counts = runs.flatMap(
      ({ counts: one }) => one?.events.find((event) => event.name === name)?.value ?? [],
    );
    return counts.length === runs.length ? [{ name, unit, statistics: summarizeSample(counts) }] : [];
  });
}
