import { EventEmitter, once } from 'node:events';
import { existsSync, lstatSync, renameSync, rmSync, statSync } from 'node:fs';
import { createFinderFor } from '../component/find.js';
import type { Log } from '../component/log.js';
import { nodeOf } from '../config/node.js';
import { validateService, type ServiceConfig } from '../config/service.js';
import { describeCode, UsageError } from '../errors.js';
import { createWallClock } from '../linux/clock.js';
import { parseOptions } from '../parse-options.js';
import { Service } from '../pipeline/service.js';
import { createSampling } from '../sampling/sampling-threads.js';
import { createPlainLog } from '../telemetry/log.js';
import { silentMeter } from '../telemetry/telemetry.js';
import { exitCodes, type Command } from './command.js';
import { Progress } from './convert/progress.js';
import { waitForEnd } from './signals.js';

const formats = ['json', 'csv', 'parquet', 'sqlite'] as const;
/** File extensions of each format. */
const extensions: Readonly<Record<string, string>> = { jsonl: 'json', db: 'sqlite', sqlite3: 'sqlite' };
/** Files next to a database belong to it. */
const companions = ['', '-wal', '-shm'];

/** A conversion: input, output and formats. */
interface Conversion {
  readonly from: string;
  readonly to: string;
  readonly format: (typeof formats)[number];
  readonly compression: 'none' | 'gzip' | 'zstd';
}

/** Writes a recording in another format: replays it into the exporter of that format. */
export const command: Command = {
  name: 'convert',
  summary: 'Convert a recording between JSON, CSV, Parquet and SQLite',
  usage: `Usage: joulemetry convert [OPTIONS] IN OUT

Reads the recording IN and writes it to OUT, keeping the timestamp of every
point. IN is a file of the exporter "file" (OTLP JSON lines, CSV or Parquet), a
database of the exporter "sqlite", or OTLP JSON lines of an OpenTelemetry
Collector, compressed or not; "-" is the standard input. The name of OUT selects
its format:
  .json .jsonl   OTLP JSON lines, one line for each table
  .csv           a column for each metric
  .parquet       a row for each point
  .db .sqlite    an SQLite database with tables of series, points and
                 histograms
An additional .gz or .zst compresses JSON and CSV. CSV does not contain the
descriptions of metrics; everything else is kept without loss, including
histograms.

Lines that cannot be read are reported with their number and column and left
out; all others are converted. A last line that is cut off, since IN is still
being written, is left out, too. A CSV file of more than 8 MiB cannot get more
columns: if another metric appears, OUT becomes a backup, as under "rotation" in
the README of the exporter "file", and a new file is started.

Options:
      --to FORMAT  json, csv, parquet or sqlite, whatever the name of OUT
  -f, --force      replace OUT if it exists

Exits with 1 if IN has no points or something in it could not be converted, and
with 2 if an option is not valid.
`,
  async run(args) {
    const { values, positionals } = parseOptions({
      args: [...args],
      allowPositionals: true,
      options: { to: { type: 'string' }, force: { type: 'boolean', short: 'f' } },
    });
    const conversion = findConversion(positionals, values.to);
    if (!values.force && existsSync(conversion.to)) {
      throw new UsageError(
        `Cannot write ${conversion.to}: expected no such file, found one; --force replaces it`,
      );
    }
    return convert(conversion);
  },
};

/** @throws UsageError */
function findConversion([from, to, ...more]: readonly string[], wanted: string | undefined): Conversion {
  if (from === undefined || to === undefined || more.length > 0) {
    const found = [from, to, ...more].filter((one) => one !== undefined).length;
    throw new UsageError(
      `Cannot convert: expected IN and OUT, found ${found === 1 ? 'one argument' : `${found} arguments`}; see --help`,
    );
  }
  if (isSameFile(from, to)) {
    throw new UsageError(`Cannot convert ${from}: expected another file to write, found the same one`);
  }
  const [, extension = '', packed] = /(?:\.([a-z]+?3?))?(\.gz|\.zst)?$/u.exec(to) ?? [];
  const named = wanted ?? extensions[extension] ?? extension;
  const format = formats.find((one) => one === named);
  if (format === undefined) {
    const name = wanted ?? to;
    throw new UsageError(
      `Cannot convert to ${name}: expected ${formats.join(', ')}, found "${named}"; see --to`,
    );
  }
  return {
    from,
    to,
    format,
    compression: packed === undefined ? 'none' : packed === '.gz' ? 'gzip' : 'zstd',
  };
}

function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

/**
 * Converts, or restores what was there.
 * @throws ConfigurationError, or Error when a file cannot be opened
 */
async function convert(conversion: Conversion): Promise<number> {
  const { from, to } = conversion;
  requireInput(from);
  // Before a file is renamed: a signal would otherwise leave it so.
  const interrupted = waitForEnd();
  const isReplacing = isFile(to);
  const settle = setAside(to);
  const progress = new Progress();
  let outcome: Outcome = { isComplete: false, hasFailed: true, isInterrupted: false };
  let isWritten = false;
  try {
    outcome = await replay(conversion, progress, interrupted);
    // A part of the new file is better than none, but not than the old one.
    isWritten = hasContent(to) && !(isReplacing && (outcome.hasFailed || outcome.isInterrupted));
  } finally {
    settle(isWritten);
  }
  progress.report(describeOutcome(conversion, outcome, isWritten ? progress.describe(to) : undefined));
  return outcome.isComplete && isWritten ? exitCodes.success : exitCodes.failure;
}

/** @throws Error when it does not exist, or this user may not know whether it does */
function requireInput(from: string): void {
  if (from === '-') return;
  try {
    statSync(from);
  } catch (error) {
    throw new Error(`Cannot read ${from}: ${describeCode(error)}`, { cause: error });
  }
}

/** How a conversion ended. */
interface Outcome {
  readonly isComplete: boolean;
  /** The output could not be written, or nothing could be read. */
  readonly hasFailed: boolean;
  readonly isInterrupted: boolean;
}

/** @param written what the output contains; undefined: there is none */
function describeOutcome(
  { from, to }: Conversion,
  { hasFailed, isInterrupted }: Outcome,
  written: string | undefined,
): string | undefined {
  if (hasFailed) return written && `${to} is incomplete: see the errors above`;
  if (isInterrupted) return `Interrupted: ${written ? `wrote ${written}` : `${to} was not written`}`;
  return written ? `Wrote ${written}` : `Cannot convert ${from}: expected points, found none`;
}

/**
 * Renames a file that is to be replaced.
 * @returns a function to be called once: deletes the renamed file if a new one was written, and restores it
 * otherwise
 */
function setAside(path: string): (isWritten: boolean) => void {
  const kept = companions.map((end) => path + end).filter(isFile);
  const isReplaced = isFile(path);
  for (const one of isReplaced ? kept : []) renameSync(one, aside(one));
  return (isWritten) => {
    if (isReplaced && !isWritten) for (const end of companions) rmSync(path + end, { force: true });
    for (const one of isReplaced ? kept : []) {
      if (isWritten) rmSync(aside(one));
      else renameSync(aside(one), one);
    }
    // It was created before the input turned out to be unreadable.
    if (!isReplaced && isFile(path) && statSync(path).size === 0) rmSync(path);
  };
}

/** The temporary name of a file that is being replaced. */
function aside(path: string): string {
  return `${path}.replaced-${process.pid}`;
}

function hasContent(path: string): boolean {
  return existsSync(path) && !(isFile(path) && statSync(path).size === 0);
}

/** Whether it is a regular file, not a device or a link to one. */
function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** Replays one file into another. */
async function replay(
  conversion: Conversion,
  progress: Progress,
  interrupted: Promise<unknown>,
): Promise<Outcome> {
  const events = new EventEmitter();
  const failed = once(events, 'failure');
  const finished = Promise.race([failed, once(events, 'finish')]);
  let [isComplete, hasFailed, isInterrupted] = [true, false, false];
  const lose = () => (isComplete = false);
  const fail = () => {
    [isComplete, hasFailed] = [false, true];
    events.emit('failure');
  };
  const root = createPlainLog('info', progress);
  const log = watchLog(root, lose, fail);
  const service = new Service(await createConfig(conversion), {
    logFor: (kind, id) =>
      kind && id !== undefined ? watchLog(root.forComponent(id, kind), lose, fail) : log,
    clock: createWallClock(),
    meter: silentMeter,
    host: { attributes: {} },
    sampling: createSampling({ log, meter: silentMeter }),
    observer: progress,
    onFinish: () => events.emit('finish'),
  });
  await service.start();
  progress.start();
  // A signal ends the reading: what was read so far is written.
  const interrupt = () => ([isComplete, isInterrupted] = [false, true]);
  await Promise.race([finished, interrupted.then(interrupt)]);
  await Promise.race([failed, service.drain()]);
  await service.shutdown();
  progress.stop();
  return { isComplete, hasFailed, isInterrupted };
}

function createConfig({ from, to, format, compression }: Conversion): Promise<ServiceConfig> {
  const exporters =
    format === 'sqlite'
      ? { sqlite: { path: to, batch: { max_points: 65_536 }, retry_on_failure: { enabled: false } } }
      : // One flush per 2 MiB: many small row groups and compressed pieces would make the file larger.
        { file: { path: to, format, compression, append: false, flush_interval: '1h' } };
  const config = {
    // Progress is shown on the terminal instead.
    receivers: { replay: { files: [from], at_end: 'exit', progress_interval: 0 } },
    exporters,
    service: { pipelines: { metrics: { receivers: ['replay'], exporters: Object.keys(exporters) } } },
  };
  return validateService(nodeOf(config), createFinderFor([]));
}

/** @param onLoss called when a log line reports that something is left out */
function watchLog(log: Log, onLoss: () => void, onFailure: () => void): Log {
  return {
    ...log,
    warn(message, fields) {
      onLoss();
      log.warn(message, fields);
    },
    error(message, fields) {
      onFailure();
      log.error(message, fields);
    },
  };
}
