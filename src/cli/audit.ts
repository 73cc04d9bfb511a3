import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { escapeControls } from '../component/output.js';
import { describeCode, UsageError } from '../errors.js';
import { parseOptions } from '../parse-options.js';
import { SheetReader, UnconfirmedError } from './audit/sheet-reader.js';
import { exitCodes, type Command } from './command.js';

/** Verifies the figures of a file written by the attribution processor. */
export const command: Command = {
  name: 'audit',
  summary: 'Recompute every figure of an audit file of the ledger',
  usage: `Usage: joulemetry audit FILE

Recomputes every figure of FILE, which the processor "attribution" writes with
the setting "audit", independently of the code that computed it: energy from the
readings of the meter, idle energy from the floor, the share of each workload,
the parts of each view, the error of each window. It reports the first figure
that differs, with its window and workload. FILE may be of any size; "-" is the
standard input. Backups (FILE.1, ...) are checked separately.

Exits with 1 if a figure differs, or FILE is truncated or cannot be read, and
with 2 if an option is not valid.
`,
  async run(args) {
    const { positionals } = parseOptions({ args: [...args], allowPositionals: true, options: {} });
    const [path, ...more] = positionals;
    if (path === undefined || more.length > 0) {
      throw new UsageError(`Cannot audit: expected one FILE, found ${positionals.length}; see --help`);
    }
    return audit(path);
  },
};

/** @throws Error when the file cannot be read */
async function audit(path: string): Promise<number> {
  const reader = new SheetReader();
  const input = path === '-' ? process.stdin : createReadStream(path);
  let number = 0;
  try {
    // A stream error ends the iteration without throwing.
    const failure = new Promise<never>((_, reject) => input.once('error', reject));
    await Promise.race([
      failure,
      (async () => {
        for await (const line of createInterface({ input, crlfDelay: Infinity })) {
          number += 1;
          reader.read(line);
        }
      })(),
    ]);
  } catch (error) {
    if (!(error instanceof UnconfirmedError))
      throw new Error(`Cannot read ${path}: ${describeCode(error)}`, { cause: error });
    input.destroy();
    write(`Cannot confirm ${path}:${number}: ${error.message}`);
    return exitCodes.failure;
  }
  const { windows, figures, missing } = reader.confirmed;
  if (windows === 0) {
    write(`Cannot confirm ${path}: expected windows, found none`);
    return exitCodes.failure;
  }
  const left = missing > 0 ? `; ${missing.toLocaleString('en')} windows were left out of the file` : '';
  write(
    `Confirmed ${figures.toLocaleString('en')} figures of ${windows.toLocaleString('en')} windows${left}`,
  );
  return exitCodes.success;
}

function write(line: string): void {
  process.stderr.write(`${escapeControls(line)}\n`);
}
