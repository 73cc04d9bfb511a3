import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** For tests: the program's main module. */
export const main = fileURLToPath(new URL('../cli/main.js', import.meta.url));

/** Runs exec to its end. */
export function exec(args: readonly string[], { input = '', env = process.env } = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'exec', ...args], { input, env });
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** A program in the JSON report. */
export interface Program {
  readonly name: string;
  readonly processes: number;
  readonly cpu_time_s: number;
  readonly energy_j: number;
}

/** A run in the JSON report. */
export interface Run {
  readonly exit_code: number;
  readonly wall_time_s: number;
  readonly cpu_time_s: number;
  readonly cpu_user_s: number;
  readonly cpu_system_s: number;
  readonly cpu_time_source: string;
  readonly programs: readonly Program[] | null;
  readonly energy: Record<string, number> & { readonly method: string; readonly domains: readonly unknown[] };
}

/** The JSON report. */
export interface Report {
  readonly runs: readonly Run[];
  readonly statistics: Record<string, Record<string, number>> | null;
}

export const parse = (json: string) => JSON.parse(json) as Report;
