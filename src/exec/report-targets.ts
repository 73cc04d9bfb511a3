import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeFileSync } from 'node:fs';
import { formatJson } from '../component/output.js';
import { describeCode, describeError, UsageError } from '../errors.js';
import { surviveBadOutput, writeMessage } from '../telemetry/write-message.js';
import { readVersion } from '../version.js';
import type { RunRecord } from './measure-run.js';
import type { ExecOptions } from './options.js';
import type { ExecReport, RunReport } from './report.js';
import type { RunRecorder } from './run-recorder.js';

/** The target of a report. Must be closed. */
interface ReportTarget {
  /** @returns whether the report was written completely; it is not written twice */
  write(text: string): Promise<boolean>;
  close(): void;
}

/** The targets of the requested reports. */
export interface ReportTargets {
  readonly json: ReportTarget | undefined;
  readonly summary: ReportTarget | undefined;
}

/**
 * Opens the targets before the command runs, possibly for hours. Existing files keep their content until then.
 * @throws UsageError if a file cannot be written
 */
export function openReportTargets({ json, output, isQuiet }: ExecOptions): ReportTargets {
  if (json !== undefined && json !== '-' && json === output) {
    throw new UsageError(
      `Cannot write two reports to ${json}: expected --json and --output to differ, found them equal`,
    );
  }
  return {
    json: json === undefined ? undefined : openTarget(json),
    summary: isQuiet ? undefined : openSummary(output),
  };
}

function openSummary(output: string | undefined): ReportTarget {
  return output === undefined ? createStreamTarget('stderr') : openTarget(output);
}

function openTarget(path: string): ReportTarget {
  return path === '-' ? createStreamTarget('stdout') : createFileTarget(path, openForWriting(path));
}

/** Opened when the command has ended. Errors are then reported by the command line. */
function createStreamTarget(name: 'stdout' | 'stderr'): ReportTarget {
  return {
    write(text) {
      surviveBadOutput();
      return new Promise((resolve) => {
        process[name].write(text, (error) => resolve(!error || isReaderGone(error)));
      });
    },
    close() {},
  };
}

/** A reader that stops early, like head(1), has what it wanted. */
function isReaderGone(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE';
}

function createFileTarget(path: string, fd: number): ReportTarget {
  let isOpen = true;
  const close = () => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  return {
    write: (text) => Promise.resolve(writeAndClose(fd, { path, text, close })),
    close,
  };
}

function openForWriting(path: string): number {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  } catch (cause) {
    throw new UsageError(`Cannot write the report to ${path}: ${describeCode(cause)}`, { cause });
  }
}

interface FileReport {
  readonly path: string;
  readonly text: string;
  close(): void;
}

/** Some file systems report a full disk only on close. */
function writeAndClose(fd: number, { path, text, close }: FileReport): boolean {
  try {
    try {
      if (fstatSync(fd).isFile()) ftruncateSync(fd);
      writeFileSync(fd, text);
    } finally {
      close();
    }
    return true;
  } catch (error) {
    writeMessage(`joulemetry: Cannot write the report to ${path}: ${describeError(error)}`);
    return false;
  }
}

/** A command that was run, and its results. */
export interface CommandRuns {
  readonly command: readonly string[];
  readonly records: readonly RunRecord[];
}

/** The commands that were run: one, or several that are compared with the first. */
export interface RunsToReport {
  readonly commands: readonly CommandRuns[];
  /** Whether they are repetitions after a warm-up. */
  readonly isRepeated: boolean;
  /** The recorder of the session, which is closed. */
  readonly recorder: RunRecorder;
}

/**
 * Writes the reports of the runs. Their code is loaded only now, so as not to delay the command.
 * @returns whether all of them could be written
 */
export async function writeReports(runs: RunsToReport, { json, summary }: ReportTargets): Promise<boolean> {
  const [report, ...compared] = await createReports(runs);
  if (!report) return true;
  let isWritten = true;
  if (json) {
    const { createJsonReport } = await import('./json-report.js');
    isWritten = await json.write(formatJson(createJsonReport(report, readVersion(), compared)));
  }
  if (summary) isWritten = (await summary.write(await describe(report, compared))) && isWritten;
  return isWritten;
}

/** @returns a report of each command that was run */
async function createReports({
  commands,
  isRepeated,
  recorder,
}: RunsToReport): Promise<readonly ExecReport[]> {
  const { reportRepeat, reportRun } = await import('./report.js');
  const compareRuns = commands.length > 1 ? (await import('./comparison.js')).compareRuns : undefined;
  let first: readonly RunReport[] | undefined;
  return commands
    .filter(({ records }) => records.length > 0)
    .map(({ command, records }) => {
      const runs = records.map((record) => reportRun(record, recorder));
      const repeat = isRepeated ? reportRepeat(runs) : undefined;
      const comparison = isRepeated && first ? compareRuns?.(runs, first) : undefined;
      first ??= runs;
      return { command, runs, repeat, comparison };
    });
}

async function describe(report: ExecReport, compared: readonly ExecReport[]): Promise<string> {
  if (compared.length > 0) {
    const { createComparisonText } = await import('./comparison-text.js');
    return createComparisonText([report, ...compared]);
  }
  const { createTextReport } = await import('./text-report.js');
  return createTextReport(report);
}
