import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A program in C that does the least that a job needs. */
export interface Floor {
  /** Runs it and returns the numbers that it prints. */
  run(...args: readonly string[]): Promise<number[]>;
}

/** Compiles `bench/floors/<name>.c`. Logs it, and finds nothing, where there is no gcc. */
export function findFloor(name: string): Floor | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'joulemetry-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, name);
  // From dist/bench/.
  const source = fileURLToPath(new URL(`../../bench/floors/${name}.c`, import.meta.url));
  const { error, status, stderr } = spawnSync('gcc', ['-O2', '-o', program, source, '-lpthread'], {
    encoding: 'utf8',
  });
  if (error !== undefined || status !== 0) {
    console.error(`Cannot compare with C: ${error?.message ?? stderr}`);
    return undefined;
  }
  return {
    async run(...args) {
      const { stdout } = await run(program, args);
      return stdout.trim().split(/\s+/).map(Number);
    },
  };
}
