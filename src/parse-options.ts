import { parseArgs, type ParseArgsConfig } from 'node:util';
import { describeError, UsageError } from './errors.js';
import { findNearest } from './nearest.js';

/**
 * Parses options like parseArgs of node:util.
 * @throws UsageError when an option is unknown or lacks its value
 */
export function parseOptions<Config extends ParseArgsConfig>(
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const known = Object.keys(config.options ?? {});
    const reason =
      describeUnknown(error, known) ??
      describePositional(error, known) ??
      describeAmbiguous(describeError(error));
    throw new UsageError(`Cannot parse the command line: ${reason}`, { cause: error });
  }
}

/** An option is followed by what looks like another one. */
function describeAmbiguous(message: string): string {
  const [, option] = /^Option '(?:-\w, )?(--[\w-]+)(?: <value>)?' argument is ambiguous/u.exec(message) ?? [];
  return option === undefined
    ? message
    : `${option}: expected a value, found an option; ${option}=-VALUE if it is none`;
}

/** A configuration without the option that names it. */
function describePositional(error: unknown, known: readonly string[]): string | undefined {
  const [, found] = /^Unexpected argument '([^']*)'/u.exec(describeError(error)) ?? [];
  if (found === undefined) return undefined;
  const remedy = known.includes('config') ? `--config ${found} names a configuration` : 'see --help';
  return `expected only options, found "${found}"; ${remedy}`;
}

/** Node's own message is long and suggests no option. */
function describeUnknown(error: unknown, known: readonly string[]): string | undefined {
  const [, option, dashes = '', name = ''] =
    /^Unknown option '((-*)([^']*))'/u.exec(describeError(error)) ?? [];
  if (option === undefined) return undefined;
  const nearest = dashes.length === 2 ? findNearest(name, known) : undefined;
  return `Unknown option '${option}', ${nearest === undefined ? 'see --help' : `did you mean '--${nearest}'?`}`;
}
