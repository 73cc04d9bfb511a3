import { ConfigurationError, describeProblem } from '../config/problem.js';
import { describeError, UsageError } from '../errors.js';
import { findNearest } from '../nearest.js';
import { surviveBadOutput, writeMessage } from '../telemetry/write-message.js';
import { readVersion } from '../version.js';
import { exitCodes, type Command } from './command.js';

/** Every command, loaded on demand: `exec` must start quickly. */
const commands: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  run: () => import('./run.js'),
  exec: () => import('./exec.js'),
  validate: () => import('./validate.js'),
  components: () => import('./components.js'),
  'print-config': () => import('./print-config.js'),
  doctor: () => import('./doctor.js'),
  ctl: () => import('./ctl.js'),
  simulate: () => import('./simulate.js'),
  calibrate: () => import('./calibrate.js'),
  convert: () => import('./convert.js'),
  audit: () => import('./audit.js'),
  'test-component': () => import('./test-component.js'),
};

/**
 * Runs one command line.
 * @param args arguments after the program's name
 * @returns the exit code: 2 for a wrong option or configuration, 1 for another failure
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args);
  } catch (error) {
    writeMessage(...listProblems(error));
    const isUsersChoice = error instanceof UsageError || error instanceof ConfigurationError;
    return isUsersChoice ? exitCodes.usage : exitCodes.failure;
  }
}

/** Quoted user text must not look like a message of its own: only these are lines. */
function listProblems(error: unknown): readonly string[] {
  if (error instanceof ConfigurationError) return error.problems.map(describeProblem);
  return error instanceof UsageError ? error.problems : [describeError(error)];
}

async function dispatch(args: readonly string[]): Promise<number> {
  const [first = 'run', ...rest] = args;
  if (isHelp(first) || first === 'help') return printHelp(rest.find((argument) => !argument.startsWith('-')));
  if (first === '--version' || first === '-V') return print(`joulemetry ${readVersion()}\n`);
  // Options without a command belong to the default one.
  const [name, own] = first.startsWith('-') ? ['run', args] : [first, rest];
  const command = await loadCommand(name);
  if (asksForHelp(command, own)) return print(command.usage);
  if (!command.isWrapper) surviveBadOutput();
  return command.run(own);
}

/** Arguments after "--", and those of the command that `exec` runs, are not options of this program. */
function asksForHelp({ countOwn }: Command, args: readonly string[]): boolean {
  const own = args.slice(0, countOwn?.(args));
  const end = own.indexOf('--');
  return own.slice(0, end < 0 ? undefined : end).some(isHelp);
}

function isHelp(argument: string): boolean {
  return argument === '--help' || argument === '-h';
}

async function loadCommand(name: string): Promise<Command> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load) return (await load()).command;
  throw new UsageError(
    `Cannot run "${name}": expected a command, found none of this name; ${suggestCommand(name)}`,
  );
}

function suggestCommand(name: string): string {
  if (/\.(?:ya?ml|json)$/u.test(name)) return `--config ${name} names a configuration`;
  const nearest = findNearest(name, Object.keys(commands));
  return nearest === undefined ? 'see joulemetry --help' : `did you mean "${nearest}"?`;
}

async function printHelp(name: string | undefined): Promise<number> {
  if (name !== undefined) return print((await loadCommand(name)).usage);
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  const width = Math.max(...all.map(({ command }) => command.name.length)) + 2;
  const lines = all.map(({ command }) => `  ${command.name.padEnd(width)}${command.summary}`);
  return print(`joulemetry ${readVersion()}: measures energy and attributes it to processes

Usage: joulemetry [COMMAND] [OPTIONS]

Commands:
${lines.join('\n')}

Run "joulemetry COMMAND --help" for the options of a command.
`);
}

function print(text: string): number {
  surviveBadOutput();
  process.stdout.write(text);
  return exitCodes.success;
}
