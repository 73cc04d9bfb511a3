import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../src/component/clock.js';
import { readBootTimeNs } from '../../src/linux/cpu-clock.js';
import { tickNs } from '../../src/linux/procfs.js';
import type { Resource } from '../../src/model/series.js';
import type { Config } from './config.js';
import { findCgroupRoot, findCgroups } from './find-cgroups.js';
import { findProcesses, type FoundProcess } from './find-processes.js';
import type { Target } from './target.js';

/** A target that comes and goes. */
export interface FoundTarget {
  /** Differs from those of all others, also of those before it. */
  readonly key: string;
  /** For messages. */
  readonly name: string;
  readonly target: Target;
  readonly resource: Resource;
}

/** Whether the settings ask for processes or cgroups. */
export function hasTargets({ processes, cgroups }: Config): boolean {
  return processes.pids.length + processes.names.length + cgroups.length > 0;
}

/** The processes and cgroups of the settings that are here now. */
export function findTargets(config: Config, clock: Clock): readonly FoundTarget[] {
  const bootNs = clock.wallNs() - readBootTimeNs();
  const processes = findProcesses(config.processes, config.procfs);
  return [...processes.map((found) => describeProcess(found, bootNs)), ...listCgroups(config)];
}

function describeProcess({ pid, parentPid, name, startTicks }: FoundProcess, bootNs: bigint): FoundTarget {
  const bornNs = bootNs + BigInt(startTicks) * BigInt(tickNs);
  const attributes = {
    'process.pid': pid,
    'process.creation.time': new Date(Number(bornNs / 1_000_000n)).toISOString(),
    'process.parent_pid': parentPid,
    'process.executable.name': name,
  };
  const target = { kind: 'process', pid } as const;
  return {
    key: `process ${pid} ${startTicks}`,
    name: `process ${pid} (${name})`,
    target,
    resource: { attributes },
  };
}

function listCgroups({ cgroups, cgroupfs, procfs }: Config): readonly FoundTarget[] {
  if (cgroups.length === 0) return [];
  const root = cgroupfs === '' ? findCgroupRoot(procfs) : cgroupfs;
  if (root === undefined) return [];
  return findCgroups(cgroups, root).map((path) => ({
    // One that was removed and made again is another one.
    key: `cgroup ${path} ${statSync(join(root, path), { throwIfNoEntry: false })?.ino}`,
    name: `cgroup ${path}`,
    target: { kind: 'cgroup', folder: join(root, path) },
    resource: { attributes: { 'linux.cgroup.path': path } },
  }));
}
