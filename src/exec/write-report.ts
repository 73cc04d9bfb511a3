import { escapeLines } from '../component/escape-controls.js';
import { readVersion } from '../cli/version.js';
import type { EnergyBook } from './energy-book.js';
import { reportRepeat, type ExecReport } from './exec-report.js';
import { createJsonReport } from './json-report.js';
import type { RunRecord } from './measure-run.js';
import type { ReportTargets } from './report-targets.js';
import { reportRun } from './run-report.js';
import { createTextReport } from './text-report.js';

/** What was run, and what came of it. */
export interface RunsToReport {
  readonly command: readonly string[];
  readonly records: readonly RunRecord[];
  /** Whether they are repetitions after a warm-up. */
  readonly isRepeated: boolean;
  /** Of the session, which is closed. */
  readonly book: EnergyBook;
}

/** Writes what is to be said about the runs. */
export function writeReport(
  { command, records, isRepeated, book }: RunsToReport,
  { json, summary }: ReportTargets,
): void {
  if (records.length === 0) return;
  const runs = records.map((record) => reportRun(record, book));
  const report: ExecReport = { command, runs, repeat: isRepeated ? reportRepeat(runs) : undefined };
  json?.write(`${JSON.stringify(createJsonReport(report, readVersion()), undefined, 2)}\n`);
  summary?.write(escapeLines(createTextReport(report)));
}
