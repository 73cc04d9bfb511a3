import { escapeControls } from '../../component/output.js';

/** A component as the agent describes it. */
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

/** An agent as it describes itself. */
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
/** Figures are aligned at their last digit. */
const rightAligned = new Set<number>([3, 4, 5]);

/**
 * The components for people: a table with a line below for each last error; for programs that read lines, where the
 * output is no terminal, the same columns separated by tabs, and the error in a last one.
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

/** What became of each component, one on a line. */
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
