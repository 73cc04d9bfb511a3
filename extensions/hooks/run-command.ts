import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { findErrorCode } from '../../src/errors.js';
import { closeDescriptorsOnExec } from '../../src/linux/close-on-exec.js';

/** A command that is run to its end. */
export interface CommandRun {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Null: that of this process. */
  readonly workingDirectory: string | null;
  readonly timeoutMs: number;
  /** Ends the command early. */
  readonly signal?: AbortSignal | undefined;
  /** Receives each line of output, up to `maxLines`. */
  onLine(line: string): void;
}

/** Further output is read, so that the command does not block, and discarded. */
const maxLines = 100;
const maxLineLength = 1000;
/** Between SIGTERM and SIGKILL, and for the last output of a command that has exited. */
const graceMs = 500;

/**
 * Runs a command in a process group of its own, with the standard streams as its only descriptors.
 * @throws Error saying how it failed: not found, a non-zero exit code, a signal, a timeout, or an early end
 */
export async function runCommand(run: CommandRun): Promise<void> {
  checkFolder(run.workingDirectory);
  closeDescriptorsOnExec();
  const child = spawn(run.program, run.args, {
    cwd: run.workingDirectory ?? undefined,
    env: run.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const kill = () => killGroup(child, 'SIGKILL');
  process.once('exit', kill);
  try {
    await waitForEnd(child, run);
  } finally {
    process.off('exit', kill);
  }
}

async function waitForEnd(child: ChildProcess, run: CommandRun): Promise<void> {
  const forward = limitLines(run.onLine);
  const outputs = [child.stdout, child.stderr].filter((stream) => stream !== null);
  const read = Promise.all(outputs.map((stream) => readLines(stream, forward)));
  const timer = new AbortController();
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  try {
    const limits = [timer.signal, ...(run.signal ? [run.signal] : [])];
    const end = await Promise.race([ended, expire(run.timeoutMs, AbortSignal.any(limits))]);
    if (end === undefined) {
      await endGroup(child, ended);
      throw new Error(`${describeLimit(run)}, found it running; killed with its process group`);
    }
    await Promise.race([read, expire(graceMs, timer.signal)]);
    const [code, signal] = end;
    if (code !== 0) throw new Error(describeEnd(code, signal));
  } catch (error) {
    throw isSpawnError(error) ? new Error(describeSpawnError(error, run), { cause: error }) : error;
  } finally {
    timer.abort();
    // A background program may hold the other ends.
    for (const stream of outputs) stream.destroy();
  }
}

/** Ends a command and everything that it started, with SIGTERM first. */
async function endGroup(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  killGroup(child, 'SIGTERM');
  await Promise.race([ended, sleep(graceMs, undefined, { ref: false })]);
  killGroup(child, 'SIGKILL');
  await ended;
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // The group has ended by itself.
  }
}

async function expire(ms: number, signal: AbortSignal): Promise<undefined> {
  await sleep(ms, undefined, { signal }).catch(() => {});
  return undefined;
}

async function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  const lines = createInterface({ input: stream, crlfDelay: Infinity });
  lines.on('line', onLine);
  await once(lines, 'close');
}

function limitLines(onLine: (line: string) => void): (line: string) => void {
  let count = 0;
  return (line) => {
    count++;
    if (count <= maxLines) onLine(line.length > maxLineLength ? `${line.slice(0, maxLineLength)}...` : line);
    else if (count === maxLines + 1) onLine(`... (more than ${maxLines} lines)`);
  };
}

/** @throws Error: otherwise the error of the system would name the program */
function checkFolder(path: string | null): void {
  if (path !== null && !existsSync(path))
    throw new Error(`expected an existing working directory, found no ${path}`);
}

function describeLimit({ signal, timeoutMs }: CommandRun): string {
  return signal?.aborted === true
    ? 'expected it to end before the collector'
    : `expected it to end within ${timeoutMs} ms`;
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  return code === null ? `it ended by ${signal}` : `it ended with exit code ${code}`;
}

function isSpawnError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && String(error.syscall).startsWith('spawn');
}

function describeSpawnError(error: NodeJS.ErrnoException, { program, workingDirectory }: CommandRun): string {
  const where = workingDirectory === null ? '' : ` in ${workingDirectory}`;
  return `expected a program that can be run${where}, found ${findErrorCode(error) ?? error.message} for "${program}"`;
}
