import { escapeControls, formatRatio, formatSize, formatValue } from '../component/output.js';
import type { EventUnit } from '../linux/perf/counted-event.js';
import type { CommandCounts, CountRatio, EventCount } from './command-counters.js';
import { limitPrograms, type ProgramReport } from './program-report.js';
import type { Baseline, EnergyReport, ExecReport, RepeatReport, RunReport, Shares } from './report.js';
import type { Statistics } from './statistics.js';

/** The report for people: one run in detail, or the statistics of several. */
export function createTextReport({ command, runs, repeat }: ExecReport): string {
  const last = runs.at(-1);
  if (!last) return '';
  const lines = repeat ? describeRepeat(repeat, runs) : describeRun(last);
  return `\njoulemetry exec: ${describeCommand(command)}\n\n${lines.join('\n')}\n`;
}

const longestCommand = 80;

/** On one line, shortened if it is long. */
export function describeCommand(command: readonly string[]): string {
  const words = command.map((word) =>
    /^[\w./:=@%+,-]+$/.test(word) ? word : escapeControls(JSON.stringify(word)),
  );
  const text = words.join(' ');
  return text.length <= longestCommand ? text : `${text.slice(0, longestCommand)}...`;
}

function describeRun(run: RunReport): readonly string[] {
  const { wallSeconds, cpu, end, maxRssBytes, energy } = run;
  const rows = [
    [
      'wall time',
      formatValue(wallSeconds, 's'),
      end.signal ? `killed by ${end.signal}` : `exit code ${end.exitCode}`,
    ],
    ['CPU time', formatValue(cpu.totalNs / 1e9, 's'), describeCpu(run)],
    ...(maxRssBytes === undefined ? [] : [['max RSS', formatSize(maxRssBytes), 'of the largest process']]),
  ];
  return [
    ...formatCells(rows),
    '',
    ...(energy ? describeEnergy(energy) : [noEnergy]),
    ...describePrograms(run),
    ...(run.counts ? ['', ...formatCells(eventRows(run.counts, wallSeconds))] : []),
    ...describeRefusal(run),
  ];
}

const noEnergy = '  No energy: this machine has no readable meter and no estimate, see joulemetry doctor';

function describeCpu({ cpu, wallSeconds }: RunReport): string {
  const percent = formatRatio(cpu.totalNs / 1e9 / wallSeconds);
  const [user, system] = [formatValue(cpu.userNs / 1e9, 's'), formatValue(cpu.systemNs / 1e9, 's')];
  return `${percent} of one CPU; user ${user}, system ${system}`;
}

function describeRefusal({ cpu }: RunReport): readonly string[] {
  if (cpu.refusal === undefined) return [];
  return [
    '',
    `  CPU time while the command ran is rounded to ticks of 10 ms: ${escapeControls(cpu.refusal)}`,
  ];
}

const shownPrograms = 10;

/** A command with a single process is not divided. */
function describePrograms({ programs = [], cpu }: RunReport): readonly string[] {
  const processes = programs.reduce((sum, program) => sum + program.processes, 0);
  if (programs.length <= 1 && processes <= 1) return [];
  const { shown, others } = limitPrograms(programs, shownPrograms);
  const rows = shown.map((program) => programRow(program.name, program, cpu.totalNs));
  const rest = others ? [programRow(`${others.programs} others`, others.sum, cpu.totalNs)] : [];
  return ['', ...formatCells([['program', 'processes', 'CPU time', '', 'energy', ''], ...rows, ...rest])];
}

function programRow(name: string, program: ProgramReport, totalNs: number): readonly string[] {
  const { processes, cpuSeconds, joules } = program;
  return [
    name,
    formatCount(processes),
    formatValue(cpuSeconds, 's'),
    totalNs === 0 ? '' : formatRatio((cpuSeconds * 1e9) / totalNs),
    joules === undefined ? '' : formatValue(joules, 'J'),
    '',
  ];
}

function describeEnergy(energy: EnergyReport): readonly string[] {
  return [...formatCells(domainRows(energy)), '', ...formatCells(shareRows(energy))];
}

function domainRows({ domains, joules }: EnergyReport): readonly (readonly string[])[] {
  const rows = domains.map(({ name, joules: own, meanWatts, peakWatts, ...domain }) => [
    name,
    formatValue(own, 'J'),
    formatValue(meanWatts, 'W'),
    peakWatts === undefined ? '-' : formatValue(peakWatts, 'W'),
    domain.isEstimated ? 'estimated, see joulemetry doctor' : describeMeasured(domain.uncertaintyJoules),
  ]);
  const watts = domains.reduce((sum, { meanWatts }) => sum + meanWatts, 0);
  const all = ['machine', formatValue(joules, 'J'), formatValue(watts, 'W'), '', ''];
  return [['', 'energy', 'mean', 'peak', ''], ...rows, ...(domains.length > 1 ? [all] : [])];
}

/** A meter that was not seen to count has no known refresh interval. */
function describeMeasured(uncertaintyJoules = NaN): string {
  return Number.isNaN(uncertaintyJoules) ? 'measured' : `measured, +-${formatValue(uncertaintyJoules, 'J')}`;
}

function shareRows({ joules, shares, baseline, ...energy }: EnergyReport): readonly (readonly string[])[] {
  const share = (name: string, part: number, note: string) => [
    name,
    formatValue(part, 'J'),
    joules === 0 ? '' : formatRatio(part / joules),
    note,
  ];
  const { isIdleKnown } = energy;
  const idle = shares && isIdleKnown ? [share('idle', shares.idle, describeIdle(energy.floorSources))] : [];
  return [
    ...(shares ? [share('command', shares.command, describeShare(shares, isIdleKnown))] : []),
    ...idle,
    ...(shares ? [share('others', shares.others, 'all other processes')] : []),
    ...(baseline
      ? [['above baseline', formatValue(baseline.netJoules, 'J'), '', describeBaseline(baseline)]]
      : []),
  ];
}

function describeIdle(sources: readonly string[]): string {
  const isPersisted = sources.includes('persisted');
  return `used even when nothing runs${isPersisted ? ', as learned earlier (--floor)' : ''}`;
}

function describeBaseline({ watts, seconds }: Baseline): string {
  return `baseline ${formatValue(watts, 'W')}, measured for ${formatValue(seconds, 's')} before`;
}

function describeShare({ commandUncertainty }: Shares, isIdleKnown: boolean): string {
  const policy = describePolicy(isIdleKnown);
  return commandUncertainty === undefined ? policy : `+-${formatValue(commandUncertainty, 'J')}, ${policy}`;
}

function describePolicy(isIdleKnown: boolean): string {
  if (isIdleKnown) return 'attributed by CPU time';
  return 'attributed by CPU time, includes idle energy';
}

function describeRepeat(repeat: RepeatReport, runs: readonly RunReport[]): readonly string[] {
  const rows = [
    ['', 'mean', '95 % interval', 'median', 'minimum', ''],
    statisticsRow('wall time', repeat.wallSeconds, 's'),
    statisticsRow('CPU time', repeat.cpuSeconds, 's'),
    ...(repeat.machineJoules ? [statisticsRow('machine', repeat.machineJoules, 'J')] : []),
    ...(repeat.netJoules ? [statisticsRow('above baseline', repeat.netJoules, 'J')] : []),
    ...(repeat.commandJoules ? [statisticsRow('command', repeat.commandJoules, 'J')] : []),
    ...repeat.events.map(({ name, unit, statistics }) =>
      statisticsCells(name, statistics, (value) => formatEvent(value, unit)),
    ),
  ];
  const energy = runs.at(-1)?.energy;
  const notes = [
    `  ${runs.length} ${runs.length === 1 ? 'run' : 'runs'} after a warm-up; energy ${energy?.method ?? 'not available'}`,
    ...(energy ? [`  command: ${describePolicy(energy.isIdleKnown)}`] : []),
    ...(repeat.hasDrift ? ['  The runs show a trend: they use more, or less, from one to the next'] : []),
  ];
  return [...formatCells(rows), '', ...notes];
}

function statisticsRow(name: string, statistics: Statistics, unit: string): readonly string[] {
  return statisticsCells(name, statistics, (value) => formatValue(value, unit));
}

function statisticsCells(
  name: string,
  { mean, halfWidth, median, min }: Statistics,
  format: (value: number) => string,
): readonly string[] {
  const interval = halfWidth === undefined ? '-' : `+-${format(halfWidth)}`;
  return [name, format(mean), interval, format(median), format(min), ''];
}

/** Event counts for people: name, count, rate and notes. */
export function eventRows(
  { events, ratios }: CommandCounts,
  seconds: number,
): readonly (readonly string[])[] {
  return [['', 'count', 'rate', ''], ...events.map((count) => eventRow(count, ratios, seconds))];
}

/** A count in its unit. */
function formatEvent(value: number, unit: EventUnit): string {
  if (unit === '{event}') return formatCount(value);
  return unit === 'By' ? formatSize(value) : formatValue(value, unit);
}

function eventRow(count: EventCount, ratios: readonly CountRatio[], seconds: number): readonly string[] {
  const { name, unit, value, note } = count;
  if (value === undefined) {
    return [name, count.runningRatio === 0 ? '<not counted>' : '<not supported>', '', note ?? ''];
  }
  const ratio = ratios.find((one) => one.name === name);
  const notes = [
    ...(ratio ? [describeRatio(ratio)] : []),
    ...describeRunning(count),
    ...(note ? [note] : []),
  ];
  return [name, formatEvent(value, unit), formatRate(value / seconds, unit), notes.join('; ')];
}

/** Seconds per second are CPUs, joules per second are watts. */
function formatRate(perSecond: number, unit: EventUnit): string {
  if (unit === 's') return `${perSecond.toFixed(3)} CPUs`;
  if (unit === 'J') return formatValue(perSecond, 'W');
  return unit === 'By' ? `${formatSize(perSecond)}/s` : formatValue(perSecond, '/s');
}

function describeRatio({ kind, of, value }: CountRatio): string {
  return kind === 'instructions_per_cycle'
    ? `${value.toFixed(2)} per cycle`
    : `${formatRatio(value)} of ${of}`;
}

function describeRunning({ runningRatio }: EventCount): readonly string[] {
  if (runningRatio === undefined || runningRatio >= 1) return [];
  return [`counted for ${formatRatio(runningRatio)} of the time, scaled`];
}

/** A whole number with thousands separators: `1,234,567`. */
function formatCount(count: number): string {
  return count.toFixed(0).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** Formats rows as lines: first and last column aligned left, the others right, each as wide as its widest cell. */
export function formatCells(table: readonly (readonly string[])[]): readonly string[] {
  const rows = table.map((row) => row.map(escapeControls));
  const count = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, i) =>
    Math.max(...rows.map((row) => (row[i] ?? '').length)),
  );
  return rows.map((row) => {
    const cells = row.map((cell, i) => {
      if (i === 0) return cell.padEnd(widths[i] ?? 0);
      return i === count - 1 ? cell : cell.padStart(widths[i] ?? 0);
    });
    return `  ${cells.join('   ')}`.trimEnd();
  });
}
