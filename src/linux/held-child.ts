import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { Gate } from './gate.js';
import { noteInherited, type Inherited } from './inherited.js';
import { koffi } from './koffi.js';
import { libc, nameErrno } from './libc.js';
import { spawnProgram } from './posix-spawn.js';
import { lendIgnoredSigChld, restoreInherited, restoreLimits, signalsToReset } from './restore-inherited.js';

/** How a program ended. */
export interface ChildEnd {
  /** As in shells: the exit code, or 128 + n after signal n. */
  readonly exitCode: number;
  /** The signal that killed it, if any. */
  readonly signal: NodeJS.Signals | undefined;
}

/** A program that has not started yet. */
export interface HeldChild {
  /** The pid, before and after the program starts. */
  readonly pid: number;
  /** Starts the program. */
  release(): void;
  /** Sends a signal; does nothing once it has ended. */
  signal(name: NodeJS.Signals): void;
  /**
   * Resolves as soon as it has ended. Its standard streams are those of this process, so nothing is left to
   * read. Rejects with an ExecError when the kernel did not execute it.
   */
  readonly ended: Promise<ChildEnd>;
}

/** The kernel cannot execute a program. */
export class ExecError extends Error {
  override readonly name = 'ExecError';
  /** The error code: `ENOEXEC`. */
  readonly code: string;

  constructor(program: string | Uint8Array, code: string) {
    super(`Cannot run "${Buffer.from(program).toString()}": ${code}`);
    this.code = code;
  }
}

const noHang = 1;
/** The signal for the end of a child can be lost only by a fault; this is how long detection then takes. */
const pollMs = 1000;

const waitpid = libc.func('int waitpid(int pid, _Out_ int *status, int options)') as (
  pid: number,
  status: [number],
  options: number,
) => number;

const signalNames = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]), // Its keys are signal names.
);

/**
 * Starts a process that waits before it executes a program, so that it can be inspected first. The program
 * inherits what this process was started with: descriptors, signals, limits, environment and so on.
 * @param program a path, or a name to find in PATH
 * @throws Error if no process can be started or held
 */
export async function startHeld(
  program: string | Uint8Array,
  args: readonly (string | Uint8Array)[],
): Promise<HeldChild> {
  const inherited = noteInherited();
  restoreInherited(inherited);
  const known = new Set(listChildren());
  const gate = new Gate();
  const takeBack = lendIgnoredSigChld(inherited);
  const executed = execute([program, ...args], gate, inherited);
  killOnExit(known, executed);
  const pid = await findChild(known, executed).finally(takeBack);
  restoreLimits(pid, inherited);
  let hasEnded = false;
  const ended = executed.then(() => waitForEnd(pid)).finally(() => (hasEnded = true));
  // The caller may await it much later.
  ended.catch(() => {});
  return {
    pid,
    release: () => gate.release(),
    signal: (name) => {
      if (!hasEnded) process.kill(pid, name);
    },
    ended,
  };
}

/** Resolves when the program is running. */
async function execute(
  argv: readonly [string | Uint8Array, ...(string | Uint8Array)[]],
  gate: Gate,
  inherited: Inherited,
): Promise<void> {
  const [program] = argv;
  let errno: number;
  try {
    errno = await spawnProgram({
      program,
      argv,
      environment: inherited.environment,
      closed: [gate.fd, ...inherited.closed],
      passes: gate.paths,
      spareFd: gate.fd,
      blockedSignals: inherited.blockedSignals,
      defaultSignals: signalsToReset(inherited),
    });
  } finally {
    gate.close();
  }
  if (errno !== 0) throw new ExecError(program, nameErrno(errno));
}

/** Kills a held child if this process ends before the release. */
function killOnExit(known: ReadonlySet<number>, executed: Promise<void>): void {
  const kill = () => {
    for (const pid of listChildren()) if (!known.has(pid)) process.kill(pid, 'SIGKILL');
  };
  const forget = () => process.off('exit', kill);
  process.once('exit', kill);
  executed.then(forget, forget);
}

/** @throws Error if there is none, because no process could be started */
async function findChild(known: ReadonlySet<number>, executed: Promise<void>): Promise<number> {
  let failure: unknown;
  executed.catch((error: unknown) => (failure = error));
  for (;;) {
    const child = listChildren().find((pid) => !known.has(pid));
    if (child !== undefined) return child;
    if (failure !== undefined) throw failure;
    await setTimeout(1);
  }
}

/** The children of all threads except the main thread, which has those that Node started and, as PID 1, orphans. */
function listChildren(): readonly number[] {
  const threads = readdirSync('/proc/self/task').filter((thread) => thread !== String(process.pid));
  return threads.flatMap((thread) => {
    const children = readFileSync(`/proc/self/task/${thread}/children`, 'latin1').trim();
    return children === '' ? [] : children.split(' ').map(Number);
  });
}

function waitForEnd(pid: number): Promise<ChildEnd> {
  return new Promise((resolve) => {
    const look = () => {
      const end = reap(pid);
      if (end === undefined) return;
      process.off('SIGCHLD', look);
      clearInterval(timer);
      resolve(end);
    };
    // Node does not stay alive for the signal alone.
    const timer = setInterval(look, pollMs);
    process.on('SIGCHLD', look);
    look();
  });
}

/** Reaps a child if it has ended: wait(2). */
function reap(pid: number): ChildEnd | undefined {
  const status: [number] = [0];
  const found = waitpid(pid, status, noHang);
  if (found < 0) throw new Error(`Cannot wait for process ${pid}: ${nameErrno(koffi.errno())}`);
  if (found === 0) return undefined;
  const number = status[0] & 0x7f;
  if (number === 0) return { exitCode: (status[0] >> 8) & 0xff, signal: undefined };
  return { exitCode: 128 + number, signal: signalNames.get(number) };
}
