import type { EventCount } from './command-counters.js';
import { limitPrograms, type ProgramReport } from './program-report.js';
import type {
  ComparisonReport,
  DomainReport,
  EnergyReport,
  ExecReport,
  RepeatReport,
  RunReport,
} from './report.js';
import type { Difference, Statistics } from './statistics.js';

/** Changes when a key changes its meaning or is removed. */
const schemaVersion = 1;

/**
 * The report as plain data: keys end with their unit; null for unknown values.
 * @param compared reports of commands that were run in turn with it
 */
export function createJsonReport(
  report: ExecReport,
  version: string,
  compared: readonly ExecReport[] = [],
): object {
  return {
    schema_version: schemaVersion,
    joulemetry_version: version,
    ...describeReport(report),
    compared: compared.map((one) => ({
      ...describeReport(one),
      differences: one.comparison ? describeComparison(one.comparison) : null,
    })),
  };
}

function describeReport({ command, runs, repeat }: ExecReport): object {
  return { command, runs: runs.map(describeRun), statistics: repeat ? describeRepeat(repeat) : null };
}

/** Differences from the first command. */
function describeComparison(comparison: ComparisonReport): object {
  return {
    wall_time: describeDifference(comparison.wallSeconds, 's'),
    cpu_time: describeDifference(comparison.cpuSeconds, 's'),
    machine_energy: describeDifference(comparison.machineJoules, 'j'),
    above_baseline_energy: describeDifference(comparison.netJoules, 'j'),
    command_energy: describeDifference(comparison.commandJoules, 'j'),
  };
}

function describeDifference(one: Difference | undefined, unit: string): object | null {
  if (!one) return null;
  const { difference, halfWidth, ratio, ratioInterval, t, degrees, p } = one;
  return {
    [`difference_${unit}`]: difference,
    [`ci95_low_${unit}`]: difference - halfWidth,
    [`ci95_high_${unit}`]: difference + halfWidth,
    ratio: ratio ?? null,
    ratio_ci95_low: ratioInterval?.[0] ?? null,
    ratio_ci95_high: ratioInterval?.[1] ?? null,
    welch_t: t ?? null,
    degrees_of_freedom: degrees ?? null,
    p_value: p,
  };
}

function describeRun(run: RunReport): object {
  const { startedAt, end, wallSeconds, cpu, counts, maxRssBytes, energy } = run;
  return {
    started_at: startedAt.toISOString(),
    exit_code: end.exitCode,
    signal: end.signal ?? null,
    wall_time_s: wallSeconds,
    cpu_time_s: cpu.totalNs / 1e9,
    cpu_user_s: cpu.userNs / 1e9,
    cpu_system_s: cpu.systemNs / 1e9,
    cpu_time_source: cpu.source,
    max_rss_bytes: maxRssBytes ?? null,
    energy: energy ? describeEnergy(energy) : null,
    ...describePrograms(run.programs),
    events: counts?.events.map((count) => describeEvent(count, wallSeconds)) ?? null,
    event_ratios:
      counts?.ratios.map(({ kind, name, of, value }) => ({ kind, event: name, of, value })) ?? null,
  };
}

const maxPrograms = 100;

function describePrograms(programs: RunReport['programs']): object {
  if (programs === undefined) return { programs: null, other_programs: null };
  const { shown, others } = limitPrograms(programs, maxPrograms);
  return {
    programs: shown.map((program) => describeProgram({ name: program.name }, program)),
    other_programs: others ? describeProgram({ programs: others.programs }, others.sum) : null,
  };
}

function describeProgram(of: object, { processes, cpuSeconds, joules }: ProgramReport): object {
  return { ...of, processes, cpu_time_s: cpuSeconds, energy_j: joules ?? null };
}

function describeEvent({ name, unit, value, runningRatio, note }: EventCount, seconds: number): object {
  return {
    name,
    unit,
    value: value ?? null,
    rate_per_s: value === undefined ? null : value / seconds,
    running_ratio: runningRatio ?? null,
    note: note ?? null,
  };
}

function describeEnergy(energy: EnergyReport): object {
  const { method, joules, domains, shares, isIdleKnown, floorSources, baseline } = energy;
  return {
    method,
    machine_energy_j: joules,
    command_energy_j: shares?.command ?? null,
    command_energy_uncertainty_j: shares?.commandUncertainty ?? null,
    command_energy_ratio: shares && joules > 0 ? shares.command / joules : null,
    idle_energy_j: shares && isIdleKnown ? shares.idle : null,
    above_idle_energy_j: shares && isIdleKnown ? joules - shares.idle : null,
    idle_power_source: isIdleKnown ? floorSources.join(',') : null,
    other_energy_j: shares?.others ?? null,
    attribution_model: shares ? 'cpu_time' : null,
    baseline_time_s: baseline?.seconds ?? null,
    baseline_power_w: baseline?.watts ?? null,
    above_baseline_energy_j: baseline?.netJoules ?? null,
    domains: domains.map(describeDomain),
  };
}

function describeDomain(domain: DomainReport): object {
  return {
    id: domain.id,
    name: domain.name,
    type: domain.type,
    method: domain.isEstimated ? 'estimated' : 'measured',
    energy_j: domain.joules,
    energy_uncertainty_j: domain.uncertaintyJoules ?? null,
    mean_power_w: domain.meanWatts,
    peak_power_w: domain.peakWatts ?? null,
  };
}

function describeRepeat(repeat: RepeatReport): object {
  return {
    drift: repeat.hasDrift,
    wall_time: describeStatistics(repeat.wallSeconds, 's'),
    cpu_time: describeStatistics(repeat.cpuSeconds, 's'),
    machine_energy: repeat.machineJoules ? describeStatistics(repeat.machineJoules, 'j') : null,
    above_baseline_energy: repeat.netJoules ? describeStatistics(repeat.netJoules, 'j') : null,
    command_energy: repeat.commandJoules ? describeStatistics(repeat.commandJoules, 'j') : null,
    events: repeat.events.map(({ name, unit, statistics }) => ({ name, unit, ...describePlain(statistics) })),
  };
}

function describeStatistics(statistics: Statistics, unit: string): object {
  const entries = Object.entries(describePlain(statistics));
  return Object.fromEntries(entries.map(([name, value]) => [`${name}_${unit}`, value]));
}

function describePlain({
  mean,
  median,
  min,
  deviation,
  halfWidth,
}: Statistics): Record<string, number | null> {
  return {
    mean,
    ci95_low: halfWidth === undefined ? null : mean - halfWidth,
    ci95_high: halfWidth === undefined ? null : mean + halfWidth,
    stddev: deviation ?? null,
    median,
    min,
  };
}
