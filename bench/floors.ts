import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describeError } from '../src/errors.js';

const run = promisify(execFile);

/** A program in C that does the least that a job needs. */
export interface Floor {
  /** Runs it and returns the numbers that it prints. */
  run(...args: readonly string[]): Promise<number[]>;
}

/** Compiles `bench/floors/<name>.c`. Logs it, and finds nothing, where there is no gcc. */
export function findFloor(name: string): Floor | undefined {
  try {
    const program = compileFloor(name);
    return {
      async run(...args) {
        const { stdout } = await run(program, args);
        return stdout.trim().split(/\s+/).map(Number);
      },
    };
  } catch (error) {
    console.error(`Cannot compare with C: ${describeError(error)}`);
    return undefined;
  }
}

const compiled = new Map<string, string>();

/**
 * Compiles `bench/floors/<name>.c` when it is first asked for.
 * @returns the program, which is removed when this process ends
 * @throws Error where there is no gcc
 */
export function compileFloor(name: string): string {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), 'joulemetry-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, name);
  // From dist/bench/.
  const source = fileURLToPath(new URL(`../../bench/floors/${name}.c`, import.meta.url));
  execFileSync('gcc', ['-O2', '-o', program, source, '-lpthread'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  compiled.set(name, program);
  return program;
}
