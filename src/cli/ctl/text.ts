import { escapeControls } from '../../component/output.js';

/** A component in the agent's answer. */
export interface ListedComponent {
  readonly name: string;
  readonly pipelines: readonly string[];
  readonly state: string;
  readonly since: string;
  readonly intervals: Readonly<Record<string, string>>;
  readonly accepted_points: number;
  readonly refused_points: number;
  readonly points_per_second: number | null;
  readonly last_error: { readonly message: string; readonly at: string } | null;
}

/** An agent in its own answer. */
export interface ListedAgent {
  readonly version: string;
  readonly pid: number;
  readonly ready: boolean;
  readonly started_at: string;
  readonly components: readonly ListedComponent[];
}

/** The result of a verb for one component. */
export interface VerbResult {
  readonly component: string;
  readonly done: boolean;
  readonly error?: string;
}

const headings = ['COMPONENT', 'STATE', 'INTERVAL', 'POINTS', 'POINTS/S', 'REFUSED'] as const;
/** Numbers are right-aligned. */
const rightAligned = new Set<number>([3, 4, 5]);

/**
 * The components as a table for people, with a line below each row for its last error; where the output is not
 * a terminal, the same columns separated by tabs, with the error in the last one.
 */
export function describeComponents({ components }: ListedAgent, isTerminal: boolean): string {
  const rows = components.map((one) => [...createCells(one)]);
  if (!isTerminal) {
    const errors = components.map(({ last_error: error }) => escapeControls(error?.message ?? ''));
    return joinLines(rows.map((cells, i) => [...cells, errors[i]].join('\t')));
  }
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...rows.map((cells) => cells[i]?.length ?? 0)),
  );
  const format = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (rightAligned.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  const lines = components.flatMap((one, i) => [format(rows[i] ?? []), ...describeLastError(one)]);
  return joinLines([format(headings), ...lines]);
}

function createCells(one: ListedComponent): readonly string[] {
  const intervals = Object.values(one.intervals).join(', ') || '-';
  const rate = one.points_per_second === null ? '-' : one.points_per_second.toFixed(1);
  const { state, accepted_points: accepted, refused_points: refused } = one;
  const [points, perSecond, lost] = one.name.startsWith('extension:')
    ? ['-', '-', '-']
    : [String(accepted), rate, String(refused)];
  return [nameOf(one), state, intervals, points, perSecond, lost].map(escapeControls);
}

/** A processor has an instance in each of its pipelines. */
function nameOf({ name, pipelines }: ListedComponent): string {
  return name.startsWith('processor:') ? `${name} (${pipelines.join(', ')})` : name;
}

function describeLastError({ last_error: error }: ListedComponent): readonly string[] {
  return error === null ? [] : [`  ${error.at}  ${escapeControls(error.message)}`];
}

/** The result for each component, one per line. */
export function describeResults(results: readonly VerbResult[], done: string): string {
  return joinLines(
    results.map(({ component, error }) =>
      escapeControls(error === undefined ? `${component}: ${done}` : `${component}: ${error}`),
    ),
  );
}

function joinLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
