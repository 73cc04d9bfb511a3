import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';

/** The program that users start. */
export const program = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));

/** Result of a finished command. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running agent. */
export interface Agent {
  readonly pid: number;
  /** Fulfilled when the agent has exited. */
  readonly ended: Promise<Outcome>;
  /** Waits until stderr matches, and returns the first group, or the whole match. */
  waitFor(pattern: RegExp): Promise<string>;
  /** Sends a signal and waits for the exit. */
  stop(signal?: NodeJS.Signals): Promise<Outcome>;
}

/** A configuration file in a new folder. */
export function writeConfig(text: string): string {
  const path = join(createFolder(), 'config.yaml');
  writeFileSync(path, text);
  return path;
}

/** Agents left by a failed test: its process would wait for them, or leave them running. */
const running = new Set<ChildProcess>();

after(async () => {
  // Their output must be complete before their folders are removed.
  const ended = [...running].map((child) => once(child, 'close'));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(ended);
});

/**
 * Starts the command line with these arguments. The environment is that of the test plus the given variables.
 * @param wrapper a program that executes the command line, and its arguments
 */
export function startAgent(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  wrapper: readonly string[] = [],
): Agent {
  const [first = process.execPath, ...words] = [...wrapper, process.execPath, program, ...args];
  const child = spawn(first, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const closed = once(child, 'close').then(() => ({ code: child.exitCode, stdout, stderr }));
  return {
    pid: child.pid ?? 0,
    ended: closed,
    async waitFor(pattern) {
      for (;;) {
        const match = pattern.exec(stderr);
        if (match) return match[1] ?? match[0];
        if (child.exitCode !== null)
          throw new Error(`the agent ended without "${pattern.source}":\n${stderr}`);
        await Promise.race([once(child.stderr, 'data'), closed]);
      }
    },
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return closed;
    },
  };
}

/** Runs the command line until it exits. */
export function runAgent(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return startAgent(args, env).ended;
}
