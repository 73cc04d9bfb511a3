import { describeDuration, describeQuantity, describeShare } from './quantity.js';
import type { DomainView, PartView, ProcessView, View } from './view.js';

const nameWidth = 18;
const minProcessWidth = 12;
const pidWidth = 9;
const columnWidth = 12;

/**
 * A summary for people, as lines.
 * @param columns the width: longer lines are cut, and the list of processes takes what is there
 */
export function renderView(view: View, columns: number): readonly string[] {
  const sections = [
    [`Joulemetry, running for ${describeDuration(view.elapsed)}`],
    renderPower(view),
    renderLedger(view.parts),
    [renderCpu(view.cpu)],
    renderProcesses(view.processes, columns),
  ];
  const shown = sections.filter((section) => section.length > 0).map((section) => section.join('\n'));
  const lines = shown.join('\n\n').split('\n');
  return lines.map((line) => cut(line.trimEnd(), columns));
}

function renderPower({ domains, joules }: View): readonly string[] {
  if (domains.length === 0)
    return [`${'Power'.padEnd(nameWidth)}no meter has been read so far; see: joulemetry doctor`];
  const watts = domains.reduce((sum, domain) => sum + domain.watts, 0);
  const isEstimated = domains.some((domain) => domain.isEstimated);
  return [
    `${renderRow('Power', watts, joules)}  since the start${isEstimated ? ', estimated' : ''}`,
    ...(domains.length > 1 || domains[0].name !== '' ? domains.map(renderDomain) : []),
  ];
}

function renderDomain({ name, type, watts, joules, isEstimated }: DomainView): string {
  return `${renderRow(`  ${clean(name)}`, watts, joules)}  ${clean(type)}${isEstimated ? ', estimated' : ''}`;
}

function renderLedger(parts: readonly PartView[]): readonly string[] {
  const total = parts.reduce((sum, { joules }) => sum + joules, 0);
  return parts.map(
    ({ part, watts, joules }) => `${renderRow(part, watts, joules)}  ${describeShare(joules / total)}`,
  );
}

function renderCpu({ busy, count }: View['cpu']): string {
  return `${'CPUs'.padEnd(nameWidth)}${Number.isNaN(busy) ? '-' : describeBusy(busy, count)}`;
}

function describeBusy(busy: number, count: number): string {
  if (Number.isNaN(count)) return `${busy.toFixed(2)} busy`;
  return `${busy.toFixed(2)} of ${count} busy, ${describeShare(busy / count)}`;
}

function renderProcesses(processes: readonly ProcessView[], columns: number): readonly string[] {
  if (processes.length === 0) return [];
  const hasEnergy = processes.some(({ joules }) => !Number.isNaN(joules));
  const fitting = Math.floor((columns - minProcessWidth - pidWidth) / columnWidth);
  const shown = Math.max(1, Math.min(hasEnergy ? 3 : 1, fitting));
  const width = Math.max(minProcessWidth, columns - pidWidth - shown * columnWidth);
  const renderLine = (name: string, pid: string, cells: readonly string[]) =>
    fit(name, width) + pid.padStart(pidWidth) + cells.slice(0, shown).map(padCell).join('');
  return [
    renderLine('PROCESS', 'PID', ['CPU', 'POWER', 'ENERGY']),
    ...processes.map(({ name, pid, cpus, watts, joules }) =>
      renderLine(clean(name), pid, [
        describeShare(cpus),
        describeQuantity(watts, 'W'),
        describeQuantity(joules, 'J'),
      ]),
    ),
  ];
}

function renderRow(name: string, watts: number, joules: number): string {
  const cells = [describeQuantity(watts, 'W'), describeQuantity(joules, 'J')];
  return fit(name, nameWidth) + cells.map(padCell).join('');
}

function padCell(text: string): string {
  return text.padStart(columnWidth);
}

/** Visibly, so that no number loses its last digits unseen. */
function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}

function fit(text: string, width: number): string {
  return text.length < width ? text.padEnd(width) : `${text.slice(0, width - 2)}… `;
}

/** Names come from programs: none may steer the terminal. */
function clean(text: string): string {
  return text.replaceAll(/\p{C}/gu, '?');
}
