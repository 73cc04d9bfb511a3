import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';
import { readVersion } from '../cli/version.js';
import { describeError, UsageError } from '../component/errors.js';
import { escapeLines } from '../component/escape-controls.js';
import { writeMessage } from '../telemetry/write-message.js';
import type { EnergyBook } from './energy-book.js';
import type { RunRecord } from './measure-run.js';
import type { ExecOptions } from './options.js';
import type { ExecReport } from './report.js';

/** Where a report goes. Must be closed. */
export interface ReportTarget {
  write(text: string): void;
  close(): void;
}

/** Where the reports go that were asked for. */
export interface ReportTargets {
  readonly json: ReportTarget | undefined;
  readonly summary: ReportTarget | undefined;
}

const closeNothing = () => {};

/**
 * Opens what the reports are to be written to, before the command has run for hours. A file that is there keeps
 * its content until then.
 * @throws UsageError when a file cannot be written
 */
export function openReportTargets({ json, output, isQuiet }: ExecOptions): ReportTargets {
  if (json !== undefined && json !== '-' && json === output) {
    throw new UsageError(`Cannot write two reports to ${json}: expected --json and --output to differ`);
  }
  return {
    json: json === undefined ? undefined : openTarget(json),
    summary: isQuiet ? undefined : openSummary(output),
  };
}

function openSummary(output: string | undefined): ReportTarget {
  if (output !== undefined) return openTarget(output);
  return { write: (text) => void process.stderr.write(text), close: closeNothing };
}

function openTarget(path: string): ReportTarget {
  if (path === '-') return { write: (text) => void process.stdout.write(text), close: closeNothing };
  const fd = openForWriting(path);
  return {
    write: (text) => writeAll(fd, path, text),
    close: () => closeSync(fd),
  };
}

function openForWriting(path: string): number {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  } catch (cause) {
    throw new UsageError(`Cannot write the report: ${describeError(cause)}`, { cause });
  }
}

/** A disk that is full is no reason to hide how the command ended. */
function writeAll(fd: number, path: string, text: string): void {
  try {
    if (fstatSync(fd).isFile()) ftruncateSync(fd);
    writeFileSync(fd, text);
  } catch (error) {
    writeMessage(`joulemetry: Cannot write the report to ${path}: ${describeError(error)}`);
  }
}

/** What was run, and what came of it. */
export interface RunsToReport {
  readonly command: readonly string[];
  readonly records: readonly RunRecord[];
  /** Whether they are repetitions after a warm-up. */
  readonly isRepeated: boolean;
  /** Of the session, which is closed. */
  readonly book: EnergyBook;
}

/** Writes the report of the runs. What makes it is loaded now, so that the command does not wait for it. */
export async function writeReport(
  { command, records, isRepeated, book }: RunsToReport,
  { json, summary }: ReportTargets,
): Promise<void> {
  if (records.length === 0) return;
  const { reportRepeat, reportRun } = await import('./report.js');
  const runs = records.map((record) => reportRun(record, book));
  const report: ExecReport = { command, runs, repeat: isRepeated ? reportRepeat(runs) : undefined };
  if (json) {
    const { createJsonReport } = await import('./json-report.js');
    json.write(`${JSON.stringify(createJsonReport(report, readVersion()), undefined, 2)}\n`);
  }
  if (summary) {
    const { createTextReport } = await import('./text-report.js');
    summary.write(escapeLines(createTextReport(report)));
  }
}
