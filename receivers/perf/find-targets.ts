import { statSync } from 'node:fs';
import { join } from 'node:path';
import { resourceKey } from '../../src/model/key.js';
import type { Resource } from '../../src/model/series.js';
import type { Config } from './config.js';
import { findCgroupRoot, findCgroups } from './find-cgroups.js';
import { type FoundProcess, ProcessFinder } from './find-processes.js';
import type { Target } from './target.js';
import {
  ATTR_LINUX_CGROUP_PATH,
  ATTR_PROCESS_EXECUTABLE_NAME,
} from '../../src/model/semantic-conventions.js';

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

/** Finds what the settings name, again and again. */
export class TargetFinder {
  readonly #config: Config;
  readonly #processes: ProcessFinder;

  constructor(config: Config) {
    this.#config = config;
    this.#processes = new ProcessFinder(config.procfs);
  }

  /** The processes and cgroups of the settings that are here now. */
  find(): readonly FoundTarget[] {
    const processes = this.#processes.find(this.#config.processes);
    return [...processes.map(describeTarget), ...listCgroups(this.#config)];
  }
}

/** One that becomes another program, user's or cgroup's is another target. */
function describeTarget({ pid, startTicks, attributes }: FoundProcess): FoundTarget {
  const resource = { attributes };
  return {
    key: `process ${pid} ${startTicks} ${resourceKey(resource)}`,
    name: `process ${pid} (${attributes[ATTR_PROCESS_EXECUTABLE_NAME]})`,
    target: { kind: 'process', pid },
    resource,
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
    resource: { attributes: { [ATTR_LINUX_CGROUP_PATH]: path } },
  }));
}
