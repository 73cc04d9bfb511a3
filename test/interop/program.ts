import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** A running peer. */
export interface Program {
  readonly pid: number;
  /** Its output to stdout and stderr so far. */
  output(): string;
  /** Waits until its output matches, and returns the match. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  /** Ends it; SIGKILL ends it at once. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Ends the programs that a test started. */
export interface Scope {
  after(callback: () => Promise<void>): void;
}

/** Starts a program that ends with the test at the latest. */
export function startProgram(
  scope: Scope,
  command: readonly [program: string, ...args: readonly string[]],
  env: NodeJS.ProcessEnv = {},
): Program {
  const [path, ...args] = command;
  const child = spawn(path, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let text = '';
  const closed = once(child, 'close');
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  }
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (isRunning(child)) child.kill(signal);
    await closed;
  };
  scope.after(() => stop('SIGKILL'));
  return {
    pid: child.pid ?? 0,
    output: () => text,
    stop,
    async waitFor(pattern) {
      for (;;) {
        const match = pattern.exec(text);
        if (match) return match;
        if (!isRunning(child)) throw new Error(`${path} ended without "${pattern.source}":\n${text}`);
        await sleep(20);
      }
    },
  };
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}
