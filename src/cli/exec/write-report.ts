import { writeFileSync } from 'node:fs';
import { describeError } from '../../component/errors.js';
import { escapeLines } from '../../component/escape-controls.js';
import { writeMessage } from '../write-message.js';
import { readVersion } from '../version.js';
import type { EnergyBook } from './energy-book.js';
import { reportRepeat, type ExecReport } from './exec-report.js';
import { createJsonReport } from './json-report.js';
import type { RunRecord } from './measure-run.js';
import type { ExecOptions } from './options.js';
import { reportRun } from './run-report.js';
import { createTextReport } from './text-report.js';

/**
 * Writes what is to be said about the runs to where the options say.
 * @param book of the session, which is closed
 */
export function writeReport(options: ExecOptions, records: readonly RunRecord[], book: EnergyBook): void {
  if (records.length === 0) return;
  const runs = records.map((record) => reportRun(record, book));
  const repeat = options.repeat === undefined ? undefined : reportRepeat(runs);
  const report: ExecReport = { command: [options.program, ...options.args], runs, repeat };
  if (options.json !== undefined) {
    const json = JSON.stringify(createJsonReport(report, readVersion()), undefined, 2);
    writeText(options.json, `${json}\n`);
  }
  if (!options.isQuiet) writeText(options.output, escapeLines(createTextReport(report)));
}

/** A report that cannot be written is no reason to hide how the command ended. */
function writeText(path: string | undefined, text: string): void {
  if (path === undefined) process.stderr.write(text);
  else if (path === '-') process.stdout.write(text);
  else {
    try {
      writeFileSync(path, text, { mode: 0o600 });
    } catch (error) {
      writeMessage(`joulemetry: Cannot write the report: ${describeError(error)}`);
    }
  }
}
