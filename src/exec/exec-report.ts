import type { EventUnit } from '../linux/perf/counted-event.js';
import type { RunReport } from './run-report.js';
import { hasDrift, summarise, type Statistics } from './statistics.js';

/** What several runs say of an event. */
export interface RepeatedEvent {
  readonly name: string;
  readonly unit: EventUnit;
  readonly statistics: Statistics;
}

/** What several runs say together. Energies in joules. */
export interface RepeatReport {
  readonly wallSeconds: Statistics;
  readonly cpuSeconds: Statistics;
  /** Of the whole machine. The three are undefined where energy is not known. */
  readonly machineJoules: Statistics | undefined;
  /** Beyond the baseline right before each run. */
  readonly netJoules: Statistics | undefined;
  readonly commandJoules: Statistics | undefined;
  /** Of events that were counted in every run. */
  readonly events: readonly RepeatedEvent[];
  /** Whether energy (without it: time) got more or less from run to run. */
  readonly hasDrift: boolean;
}

/** What `exec` has to say. */
export interface ExecReport {
  /** The command and its arguments. */
  readonly command: readonly string[];
  readonly runs: readonly RunReport[];
  /** Undefined unless repeated runs were asked for. */
  readonly repeat: RepeatReport | undefined;
}

/** @param runs at least one, in their order */
export function reportRepeat(runs: readonly RunReport[]): RepeatReport {
  const wall = runs.map(({ wallSeconds }) => wallSeconds);
  const machine = runs.flatMap(({ energy }) => energy?.joules ?? []);
  const net = runs.flatMap(({ energy }) => energy?.baseline?.netJoules ?? []);
  const command = runs.flatMap(({ energy }) => energy?.shares?.command ?? []);
  return {
    wallSeconds: summarise(wall),
    cpuSeconds: summarise(runs.map(({ cpu }) => cpu.totalNs / 1e9)),
    machineJoules: summariseAny(machine),
    netJoules: summariseAny(net),
    commandJoules: summariseAny(command),
    events: reportEvents(runs),
    hasDrift: hasDrift([net, machine, wall].find((values) => values.length > 0) ?? []),
  };
}

function summariseAny(values: readonly number[]): Statistics | undefined {
  return values.length > 0 ? summarise(values) : undefined;
}

function reportEvents(runs: readonly RunReport[]): readonly RepeatedEvent[] {
  const first = runs[0]?.counts?.events ?? [];
  return first.flatMap(({ name, unit }) => {
    const counts = runs.flatMap(
      ({ counts: one }) => one?.events.find((event) => event.name === name)?.value ?? [],
    );
    return counts.length === runs.length ? [{ name, unit, statistics: summarise(counts) }] : [];
  });
}
