import { formatValue } from '../component/output.js';
import type { ExecReport } from './report.js';
import type { Difference } from './statistics.js';
import { createTextReport, describeCommand, formatCells } from './text-report.js';

/**
 * The report of commands that were run in turn for people: each of them, then the differences from the first.
 * @param reports at least one
 */
export function createComparisonText([first, ...others]: readonly [ExecReport, ...ExecReport[]]): string {
  const reports = [first, ...others];
  const differences = others.flatMap((one) => describeDifferences(one, first));
  return `${reports.map(createTextReport).join('')}${differences.map((line) => `${line}\n`).join('')}`;
}

function describeDifferences({ command, comparison }: ExecReport, first: ExecReport): readonly string[] {
  // The warm-up was the only round.
  if (!comparison) return [];
  const title = `${describeCommand(command)}, compared with ${describeCommand(first.command)}`;
  const rows = [
    ...differenceRow('wall time', comparison.wallSeconds, 's'),
    ...differenceRow('CPU time', comparison.cpuSeconds, 's'),
    ...differenceRow('machine', comparison.machineJoules, 'J'),
    ...differenceRow('above baseline', comparison.netJoules, 'J'),
    ...differenceRow('command', comparison.commandJoules, 'J'),
  ];
  if (rows.length === 0) return ['', title, '', '  No difference: at least two runs of each are needed'];
  return [
    '',
    title,
    '',
    ...formatCells([['', 'difference', '95 % interval', 'ratio', '95 % interval', 'p', ''], ...rows]),
    '',
    "  p: how probable a difference at least this large is, if there is none (Welch's t-test)",
    "  The interval of a ratio is by Fieller's theorem; if it contains 1, the difference may be chance",
    ...(rows.some((row) => row.includes(noRatio))
      ? [`  ${noRatio}: there is no ratio, since the mean of the first command may be 0`]
      : []),
  ];
}

const noRatio = '-';

function differenceRow(
  name: string,
  one: Difference | undefined,
  unit: string,
): readonly (readonly string[])[] {
  if (!one) return [];
  const { difference, halfWidth, p } = one;
  const sign = difference > 0 ? '+' : '';
  const cells = [`${sign}${formatValue(difference, unit)}`, `+-${formatValue(halfWidth, unit)}`];
  return [[name, ...cells, ...ratioCells(one), describeProbability(p), '']];
}

function ratioCells({ ratio, ratioInterval: interval }: Difference): readonly string[] {
  if (ratio === undefined || interval === undefined) return [noRatio, noRatio];
  return [formatFactor(ratio), interval.map(formatFactor).join(' to ')];
}

function formatFactor(factor: number): string {
  return `${factor.toFixed(3)}x`;
}

function describeProbability(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}
