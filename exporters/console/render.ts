import { formatRatio, formatValue } from '../../src/component/output.js';
import { restOf, type DomainView, type PartView, type ProcessView, type View } from './view.js';

/** Size of the terminal, in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Column widths, in characters. */
interface Widths {
  /** Of the names of domains and parts. */
  readonly name: number;
  readonly process: number;
  readonly pid: number;
  readonly cell: number;
}

const wide: Widths = { name: 18, process: 12, pid: 9, cell: 12 };
const narrow: Widths = { name: 12, process: 12, pid: 8, cell: 9 };
const minWide = 60;
const minProcesses = 5;
/** Without longer names, a wider column would only separate them from their numbers. */
const enoughForNames = 56;

/**
 * A summary for people, as lines. Longer lines are cut. Where there are few rows, blank lines are left out,
 * domains are replaced by their sum, and fewer processes are listed: the rest is in the row `other, unseen`.
 */
export function renderView(view: View, { columns, rows }: Size): readonly string[] {
  const widths = columns < minWide ? narrow : wide;
  const [title, power, ...others] = renderFixed(view, widths);
  const spacious = joinSections([title, power, ...others]);
  const isLow = rows < spacious.length + countLeastRows(view);
  const fixed = isLow ? [...power.slice(0, 1), ...others.flat()] : [...spacious, ''];
  const listed = renderProcesses(view, { columns, rows: rows - fixed.length }, widths);
  const lines = [...fixed, ...listed];
  return lines
    .slice(0, lines.findLastIndex((line) => line !== '') + 1)
    .map((line) => cut(line.trimEnd(), columns));
}

/** With fewer rows than this for processes, including a blank line and the header, less important rows are left out. */
function countLeastRows({ processes }: View): number {
  return processes.length === 0 ? 0 : 2 + Math.min(minProcesses, processes.length + 1);
}

type Lines = readonly string[];

function renderFixed(view: View, widths: Widths): readonly [Lines, Lines, ...Lines[]] {
  return [
    [`Joulemetry, running for ${describeDuration(view.elapsed)}`],
    renderPower(view, widths),
    renderLedger(view.parts, widths),
    [renderCpu(view.cpu, widths)],
  ];
}

function joinSections(sections: readonly (readonly string[])[]): readonly string[] {
  const shown = sections.filter((section) => section.length > 0);
  return shown
    .map((section) => section.join('\n'))
    .join('\n\n')
    .split('\n');
}

function renderPower({ domains, joules }: View, widths: Widths): readonly string[] {
  const isNarrow = widths === narrow;
  if (domains.length === 0) {
    const text = isNarrow
      ? 'no meter; joulemetry doctor'
      : 'no meter has been read so far; see: joulemetry doctor';
    return [`${'Power'.padEnd(widths.name)}${text}`];
  }
  const watts = domains.reduce((sum, domain) => sum + domain.watts, 0);
  const isEstimated = domains.some((domain) => domain.isEstimated);
  const notes = [...(isNarrow ? [] : ['since the start']), ...(isEstimated ? ['estimated'] : [])];
  return [
    `${renderRow('Power', { watts, joules }, widths)}${isNarrow ? ' ' : '  '}${notes.join(', ')}`,
    ...(domains.length > 1 || domains.some(({ name }) => name !== '')
      ? domains.map((domain) => renderDomain(domain, widths))
      : []),
  ];
}

function renderDomain({ name, type, isEstimated, ...use }: DomainView, widths: Widths): string {
  return `${renderRow(`  ${clean(name)}`, use, widths)}  ${clean(type)}${isEstimated ? ', estimated' : ''}`;
}

function renderLedger(parts: readonly PartView[], widths: Widths): readonly string[] {
  const total = parts.reduce((sum, { joules }) => sum + joules, 0);
  return parts.map(
    ({ part, ...use }) => `${renderRow(part, use, widths)}  ${formatRatio(use.joules / total)}`,
  );
}

function renderCpu({ busy, count }: View['cpu'], { name }: Widths): string {
  return `${'CPUs'.padEnd(name)}${Number.isNaN(busy) ? '-' : describeBusy(busy, count)}`;
}

function describeBusy(busy: number, count: number): string {
  if (Number.isNaN(count)) return `${busy.toFixed(2)} busy`;
  return `${busy.toFixed(2)} of ${count} busy, ${formatRatio(busy / count)}`;
}

/** The processes that fit, and the rest. */
function renderProcesses(view: View, { columns, rows }: Size, widths: Widths): readonly string[] {
  if (view.processes.length === 0 || rows < 2) return [];
  const fitting = view.processes.slice(0, rows - 1);
  const whole = withRest(view, fitting);
  const listed = whole.length < rows ? whole : withRest(view, fitting.slice(0, rows - 2));
  const renderLine = createLineRenderer(view, columns, widths);
  return [
    renderLine(view.listed.toUpperCase(), 'PID', 'CPU', ['POWER', 'ENERGY']),
    ...listed.map(({ name, pid, cpus, watts, joules }) =>
      renderLine(clean(name), pid, formatRatio(cpus), [formatValue(watts, 'W'), formatValue(joules, 'J')]),
    ),
  ];
}

function withRest({ all, listed: kind }: View, listed: readonly ProcessView[]): readonly ProcessView[] {
  const rest = restOf(all, listed);
  const isNothing = [rest.watts, rest.joules, rest.cpus].every((value) => !(value >= minShown));
  return isNothing
    ? listed
    : [...listed, { name: kind === 'process' ? 'other, unseen' : 'other', pid: '', ...rest }];
}

/** Less than this of any unit is shown as 0. */
const minShown = 5e-7;

/** A group has no pid, and its CPU use is not known. */
function createLineRenderer({ processes, listed }: View, columns: number, widths: Widths) {
  const { process, cell } = widths;
  const isGroup = listed !== 'process';
  const pidWidth = isGroup ? 0 : widths.pid;
  const hasEnergy = processes.some(({ joules }) => !Number.isNaN(joules));
  const fitting = Math.floor((columns - process - pidWidth) / cell);
  const shown = Math.max(1, Math.min(isGroup ? 2 : hasEnergy ? 3 : 1, fitting));
  const longest = Math.max(enoughForNames, ...processes.map(({ name }) => name.length + 2));
  const width = Math.max(process, Math.min(longest, columns - pidWidth - shown * cell));
  return (name: string, pid: string, cpu: string, energy: readonly string[]) => {
    const cells = isGroup ? energy : [cpu, ...energy];
    const numbers = cells.slice(0, shown).map((text) => text.padStart(cell));
    return fit(name, width) + (isGroup ? '' : pid.padStart(pidWidth)) + numbers.join('');
  };
}

function renderRow(
  name: string,
  { watts, joules }: Pick<PartView, 'watts' | 'joules'>,
  widths: Widths,
): string {
  const cells = [formatValue(watts, 'W'), formatValue(joules, 'J')];
  return fit(name, widths.name) + cells.map((text) => text.padStart(widths.cell)).join('');
}

/** Marks cut lines, so that a cut number is not mistaken for a complete one. */
function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}

function fit(text: string, width: number): string {
  return text.length <= width ? text.padEnd(width) : `${text.slice(0, width - 2)}… `;
}

/** Names come from programs and must not control the terminal. */
function clean(text: string): string {
  return text.replaceAll(/\p{C}/gu, '?');
}

/** `12 s`, `3 min 04 s`, `2 h 05 min`. */
export function describeDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours} h ${pad(minutes)} min`;
  return minutes > 0 ? `${minutes} min ${pad(whole % 60)} s` : `${whole} s`;
}

function pad(number: number): string {
  return String(number).padStart(2, '0');
}
