import { parseArgs } from 'node:util';
import { parseDuration } from '../config/formats.js';
import { UsageError } from '../errors.js';
import { parseOptions } from '../parse-options.js';

/** A command's name and its arguments. */
export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
}

/** The options of `exec`. */
export interface ExecOptions extends CommandLine {
  /** Commands that are compared with it. */
  readonly others: readonly CommandLine[];
  /** Number of measured runs after a warm-up; undefined: one, without a warm-up. */
  readonly repeat: number | undefined;
  /** How long the machine is measured before each run; undefined: not at all. */
  readonly baselineMs: number | undefined;
  /** File in which an agent keeps the floors that it learned; undefined: none. */
  readonly floor: string | undefined;
  /** Paths of configuration files, and `a.b=c`, which overrides them. */
  readonly config: readonly string[];
  readonly set: readonly string[];
  /** Time between two readings of the CPU time, as written; undefined: as configured. */
  readonly interval: string | undefined;
  /** Target of the machine-readable report: a path, or `-` for stdout. */
  readonly json: string | undefined;
  /** Target of the summary; undefined: stderr. */
  readonly output: string | undefined;
  readonly isQuiet: boolean;
  /** Lists of perf events to count. */
  readonly events: readonly string[];
}

// The option parser of the other commands loads the YAML parser, which would take a sixth of exec's start time.
const options = {
  config: { type: 'string', short: 'c', multiple: true },
  set: { type: 'string', multiple: true },
  repeat: { type: 'string', short: 'r' },
  compare: { type: 'boolean' },
  baseline: { type: 'string' },
  floor: { type: 'string' },
  interval: { type: 'string' },
  json: { type: 'string' },
  output: { type: 'string', short: 'o' },
  quiet: { type: 'boolean', short: 'q' },
  event: { type: 'string', short: 'e', multiple: true },
  help: { type: 'boolean', short: 'h' },
} as const;

const maxRuns = 10_000;

/** Separates commands that are compared. */
export const commandSeparator = '--vs';
const comparedRuns = '10';

/**
 * Parses the arguments of `exec`. Everything from the command's name on belongs to the command.
 * @throws UsageError
 */
export function parseExecOptions(args: readonly string[]): ExecOptions {
  const commandAt = findCommand(args);
  const values = parseOptions({
    args: completeJson(args.slice(0, commandAt + 1)).slice(0, commandAt),
    options,
  }).values;
  const words = args.slice(args[commandAt] === '--' ? commandAt + 1 : commandAt);
  const { config = [], set = [], baseline, floor, interval, json, output, quiet: isQuiet = false } = values;
  const { event: events = [], compare: isCompared = false } = values;
  const repeat = values.repeat ?? (isCompared ? comparedRuns : undefined);
  const [{ program, args: own }, ...others] = isCompared ? parseCompared(words) : [parseCommand(words)];
  return {
    program,
    args: own,
    others,
    floor,
    config,
    set,
    interval,
    repeat: repeat === undefined ? undefined : parseCount(repeat),
    baselineMs: parseBaseline(baseline, repeat !== undefined),
    json,
    output,
    isQuiet,
    events,
  };
}

function parseCommand([program, ...args]: readonly string[]): CommandLine {
  if (program !== undefined) return { program, args };
  throw new UsageError(
    'Cannot measure: expected a command, found none; usage: joulemetry exec [OPTIONS] [--] COMMAND [ARGS...]',
  );
}

function parseCompared(words: readonly string[]): readonly [CommandLine, ...CommandLine[]] {
  const [first = [], ...others] = splitAtWord(words, (word) => word === commandSeparator);
  if (others.length > 0) return [parseCommand(first), ...others.map(parseCommand)];
  throw new UsageError(
    `Cannot compare: expected at least two commands with "${commandSeparator}" between them, found one`,
  );
}

/** @returns the words before the first separator, between two, and after the last one */
export function splitAtWord<Word>(
  words: readonly Word[],
  isSeparator: (word: Word) => boolean,
): readonly (readonly Word[])[] {
  const at = words.findIndex(isSeparator);
  return at < 0 ? [words] : [words.slice(0, at), ...splitAtWord(words.slice(at + 1), isSeparator)];
}

/** The index of the first argument that is neither an option nor an option's value. */
export function findCommand(args: readonly string[]): number {
  const { tokens } = parseArgs({ args: completeJson(args), options, strict: false, tokens: true });
  const command = tokens.find(({ kind }) => kind !== 'option');
  return command?.index ?? args.length;
}

/** `--json` has a file name, unless an option or "--" follows it: then the report goes to stdout. */
function completeJson(args: readonly string[]): string[] {
  return args.map((argument, index) =>
    argument === '--json' && /^-./.test(args[index + 1] ?? '--') ? '--json=-' : argument,
  );
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= maxRuns) return count;
  throw new UsageError(`Cannot use --repeat "${text}": expected a whole number from 1 to ${maxRuns}`);
}

/** Repeated runs are compared with the machine immediately before, so the default there is one second. */
function parseBaseline(text: string | undefined, isRepeated: boolean): number | undefined {
  const written = text ?? (isRepeated ? '1s' : '0');
  const ms = parseDuration(written);
  if (ms === undefined) {
    throw new UsageError(`Cannot use --baseline "${written}": expected a duration such as "1s" or "200ms"`);
  }
  return ms === 0 ? undefined : ms;
}
