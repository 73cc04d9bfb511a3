import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { describeError, findErrorCode } from '../../errors.js';
import { until } from '../../testing/until.js';
import { findHierarchies, folderOf, type Hierarchy } from './hierarchies.js';

/** A cgroup of the real kernel for a test. */
export interface TestCgroup {
  readonly hierarchy: Hierarchy;
  /** The kernel's path. */
  readonly path: string;
  readonly folder: string;
}

/** The mounted hierarchies of this machine. */
export const realHierarchies = findHierarchies({ procfs: '/proc', cgroupfs: '' });

let count = 0;

/**
 * Creates a cgroup for a test, which is removed after it with all its descendants. Processes left in it are
 * killed, since the test would wait for them.
 * @returns why that is impossible here, if so: call `t.skip` with it
 */
export function makeCgroup(
  t: TestContext,
  which: 2 | 'cpuacct' | 'freezer' | 'memory' | 'perf_event' | 'pids',
): TestCgroup | string {
  const hierarchy = realHierarchies.find(({ version, controllers }) =>
    which === 2 ? version === 2 : controllers.includes(which),
  );
  if (hierarchy === undefined) return `no hierarchy of ${which} is mounted`;
  const path = `/joulemetry-test-${process.pid}-${count++}`;
  const folder = folderOf(hierarchy, path);
  try {
    mkdirSync(folder);
  } catch (error) {
    return `cgroups cannot be made: ${describeError(error)}`;
  }
  t.after(() => clearCgroup(folder));
  return { hierarchy, path, folder };
}

async function clearCgroup(folder: string): Promise<void> {
  for (const path of existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : []) {
    if (basename(path) === 'cgroup.procs') killOthers(listMembers(join(folder, dirname(path))));
  }
  await until(() => {
    try {
      removeCgroup(folder);
      return true;
    } catch (error) {
      const code = findErrorCode(error);
      // A process that is exiting can neither stay in it nor be moved.
      if (code === 'EBUSY' || code === 'ESRCH') return false;
      if (code === 'ENOENT') return true;
      throw error;
    }
  });
}

function killOthers(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      if (pid !== process.pid) process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
}

function listMembers(folder: string): readonly number[] {
  const path = join(folder, 'cgroup.procs');
  const pids = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  return pids.map(Number);
}

/** Removes a cgroup with its descendants. Its processes are moved to the parent. */
export function removeCgroup(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(folder, entry.name));
  }
  for (const pid of listMembers(folder)) enterCgroup(dirname(folder), pid);
  rmdirSync(folder);
}

/** Moves a process into a cgroup. */
export function enterCgroup(folder: string, pid: number): void {
  writeFileSync(join(folder, 'cgroup.procs'), String(pid));
}

/** Runs a script by a shell in a cgroup of version 2. @returns seconds of CPU time that the cgroup has used */
export async function runShellIn(t: TestContext, { folder }: TestCgroup, script: string): Promise<number> {
  const shell = spawn('sh', ['-c', `read x; ${script}`], { stdio: ['pipe', 'ignore', 'inherit'] });
  t.after(() => shell.kill('SIGKILL'));
  enterCgroup(folder, shell.pid ?? 0);
  shell.stdin.end('\n');
  await once(shell, 'exit');
  const [, usec] = /^usage_usec (\d+)$/mu.exec(readFileSync(join(folder, 'cpu.stat'), 'utf8')) ?? [];
  return Number(usec) / 1e6;
}
