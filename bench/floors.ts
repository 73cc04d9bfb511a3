import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describeError } from '../src/errors.js';

const run = promisify(execFile);

/** A C program with the minimum cost of a job. */
export interface Floor {
  /** Runs the program and returns the numbers that it prints. */
  run(...args: readonly string[]): Promise<number[]>;
}

/** Compiles `bench/floors/<name>.c`. Without gcc it logs that and returns undefined. */
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
 * Compiles `bench/floors/<name>.c` on first use.
 * @returns the program, which is removed when this process exits
 * @throws Error where gcc is missing
 */
export function compileFloor(name: string): string {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), 'joulemetry-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, name);
  // Relative to dist/bench/.
  const source = fileURLToPath(new URL(`../../bench/floors/${name}.c`, import.meta.url));
  execFileSync('gcc', ['-O2', '-o', program, source, '-lpthread'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  compiled.set(name, program);
  return program;
}
