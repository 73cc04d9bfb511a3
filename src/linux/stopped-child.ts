import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { clearAmbientCapabilities } from './ambient-capabilities.js';
import { findOriginalOpenFilesLimit } from './open-files-limit.js';

/** How a program ended. */
export interface ChildEnd {
  /** As shells say it: the exit code, or 128 + n after signal n. */
  readonly exitCode: number;
  /** What killed it, if a signal did. */
  readonly signal: NodeJS.Signals | undefined;
}

/** A program that has not begun yet. */
export interface StoppedChild {
  /** Its process, before and after it begins. */
  readonly pid: number;
  /** Lets it begin. */
  release(): void;
  /** Sends a signal; does nothing once it has ended. */
  signal(name: NodeJS.Signals): void;
  /** Resolves as soon as it has ended. Its standard streams are this process's, so nothing is left to read. */
  readonly ended: Promise<ChildEnd>;
}

const shellVariable = /^[A-Za-z_][A-Za-z_0-9]*$/;

// $$ stays the same process: `exec` replaces the shell by the program.
const stopThenExec = 'kill -STOP $$; exec "$@"';

/**
 * Starts a program in a process that stops before the program begins, so that it can be looked at first. It has
 * this process's standard streams, folder, environment and process group, and what the user who started this
 * process had: his limit of open files, which Node has raised for itself, and no ambient capabilities.
 * @param program a path, or a name to be found in PATH
 * @throws Error when it ended before it could be stopped
 */
export async function startStopped(program: string, args: readonly string[]): Promise<StoppedChild> {
  clearAmbientCapabilities();
  const limit = findOriginalOpenFilesLimit();
  const script = limit === undefined ? stopThenExec : `ulimit -Sn ${limit}; ${stopThenExec}`;
  const options = { stdio: 'inherit', argv0: 'sh' } as const;
  const child = spawn(findShell(process.env), ['-c', script, 'sh', program, ...args], options);
  const ended = waitForEnd(child);
  const pid = child.pid ?? (await rejectFailedSpawn(child));
  // Whoever loses this process before the release must not leave a stopped one behind.
  const killOnExit = () => child.kill('SIGKILL');
  process.once('exit', killOnExit);
  const forget = () => process.off('exit', killOnExit);
  void ended.then(forget, forget);
  await waitUntilStopped(pid, ended);
  return {
    pid,
    release() {
      forget();
      child.kill('SIGCONT');
    },
    signal: (name) => void child.kill(name),
    ended,
  };
}

/** dash drops what is no shell variable, say the functions that bash exports; bash does not. */
function findShell(environment: NodeJS.ProcessEnv): string {
  const fitsAnyShell = Object.keys(environment).every((name) => shellVariable.test(name));
  return !fitsAnyShell && existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh';
}

function waitForEnd(child: ChildProcess): Promise<ChildEnd> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      const exitCode = signal ? 128 + constants.signals[signal] : (code ?? 0);
      resolve({ exitCode, signal: signal ?? undefined });
    });
  });
}

function rejectFailedSpawn(child: ChildProcess): Promise<never> {
  return new Promise((_, reject) => {
    child.once('error', (cause) => {
      reject(new Error(`Cannot start a process: ${cause.message}`, { cause }));
    });
  });
}

async function waitUntilStopped(pid: number, ended: Promise<ChildEnd>): Promise<void> {
  let end: ChildEnd | undefined;
  void ended.then((value) => (end = value));
  while (!isStopped(pid)) {
    await setTimeout(1);
    if (end)
      throw new Error(`Cannot start the command: its process ended with ${end.exitCode} before it began`);
  }
}

function isStopped(pid: number): boolean {
  try {
    // The name before the state is in parentheses and may hold any.
    return /^.*\) T /s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
