import { appendFileSync, readFileSync } from 'node:fs';

/** The effect of a fault on the points of one exporter. */
export interface Cell {
  /** As in docs/delivery.md. */
  readonly fault: string;
  readonly exporter: string;
  /** Points that the agent produced. */
  readonly sent: number;
  /** Distinct points that the backend has. */
  readonly received: number;
  /** Surplus copies of points at the backend. */
  readonly doubled: number;
  /** Points that never arrived. */
  readonly lost: number;
}

/** Duration of outages. */
export const outageMs = 1000 * Number(process.env['JOULEMETRY_FAULT_OUTAGE'] ?? 10);

/** Environment variable with the file to which the tests append their cells. */
export const cellsVariable = 'JOULEMETRY_FAULT_CELLS';

/** Adds a cell to the table that `npm run test:faults` prints. */
export function recordCell(cell: Cell): void {
  const path = process.env[cellsVariable];
  if (path !== undefined) appendFileSync(path, `${JSON.stringify(cell)}\n`);
}

/** Every cell of a file, as a table in Markdown. */
export function renderCells(path: string): string {
  const cells = readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    // Written by recordCell.
    .map((line) => JSON.parse(line) as Cell);
  const rows = cells.map(({ fault, exporter, sent, received, doubled, lost }) =>
    [fault, `\`${exporter}\``].concat(
      [sent, received, doubled, lost].map((count) => count.toLocaleString('en')),
    ),
  );
  const columns = ['Fault', 'Exporter', 'Sent', 'Received', 'Doubled', 'Lost'];
  const rules = ['---', '---', '--:', '--:', '--:', '--:'];
  return [columns, rules, ...rows].map((words) => `| ${words.join(' | ')} |`).join('\n');
}
