import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { resourceKey, type Resource } from '../../src/model/series.js';
import type { Config } from './config.js';
import { type FoundProcess, ProcessFinder } from './find-processes.js';
import type { Target } from './plan.js';
import {
  ATTR_LINUX_CGROUP_PATH,
  ATTR_PROCESS_EXECUTABLE_NAME,
} from '../../src/model/semantic-conventions.js';
import { createNamePattern } from '../../src/scraping/lines.js';
import { findHierarchies, findPerfHierarchy } from '../../src/linux/cgroup/hierarchies.js';
import { findNames } from '../../src/linux/sysfs.js';
import type { Log } from '../../src/component/log.js';

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

function listCgroups(config: Config): readonly FoundTarget[] {
  const { cgroups } = config;
  if (cgroups.length === 0) return [];
  const root = findCgroupRoot(config);
  if (root === undefined) return [];
  return findCgroups(cgroups, root).map((path) => ({
    // One that was removed and made again is another one.
    key: `cgroup ${path} ${statSync(join(root, path), { throwIfNoEntry: false })?.ino}`,
    name: `cgroup ${path}`,
    target: { kind: 'cgroup', folder: join(root, path) },
    resource: { attributes: { [ATTR_LINUX_CGROUP_PATH]: path } },
  }));
}

/** Where the cgroups are that the settings name. */
function findCgroupRoot({ cgroupfs, procfs }: Config): string | undefined {
  if (cgroupfs !== '') return cgroupfs;
  return findPerfHierarchy(findHierarchies({ procfs, cgroupfs }))?.folder;
}

/**
 * The cgroups that patterns select, as paths from the root: `/system.slice/ssh.service`. `*` stands for any name or
 * part of one.
 */
export function findCgroups(patterns: readonly string[], root: string): readonly string[] {
  return [...new Set(patterns.flatMap((pattern) => expand(pattern.split('/').filter(Boolean), root)))];
}

function expand(names: readonly string[], root: string, path = ''): readonly string[] {
  const [first, ...rest] = names;
  if (first === undefined) return existsSync(join(root, path)) ? [path === '' ? '/' : path] : [];
  if (!first.includes('*')) return expand(rest, root, `${path}/${first}`);
  const pattern = createNamePattern(first);
  return findNames(join(root, path))
    .filter((name) => pattern.test(name) && existsSync(join(root, path, name, 'cgroup.procs')))
    .flatMap((name) => expand(rest, root, `${path}/${name}`));
}

/** Logs targets of the settings that do not exist: at the first look, and when they appear. */
export class AbsentTargets {
  readonly #config: Config;
  readonly #log: Pick<Log, 'info' | 'warn'>;
  #absent: ReadonlySet<string> | undefined;

  constructor(config: Config, log: Pick<Log, 'info' | 'warn'>) {
    this.#config = config;
    this.#log = log;
  }

  /** To be called with all that a look has found. */
  update(found: readonly FoundTarget[]): void {
    if (this.#absent?.size === 0) return;
    const now = new Set(findAbsent(this.#config, found));
    if (this.#absent === undefined) {
      for (const name of now) this.#log.warn(`Cannot find ${name}: it is counted from when it is there`);
      this.#absent = now;
      return;
    }
    const come = [...this.#absent].filter((name) => !now.has(name));
    for (const name of come) this.#log.info(`Found ${name}`);
    this.#absent = new Set([...this.#absent].filter((name) => now.has(name)));
  }
}

/** Processes by number, and patterns of cgroups, that select nothing: in words. */
function findAbsent(config: Config, found: readonly FoundTarget[]): string[] {
  const { processes, cgroups } = config;
  const pids = new Set(found.map(({ target }) => (target.kind === 'process' ? target.pid : undefined)));
  const root = findCgroupRoot(config);
  const isEmpty = (pattern: string) => root === undefined || findCgroups([pattern], root).length === 0;
  return [
    ...processes.pids.filter((pid) => !pids.has(pid)).map((pid) => `process ${pid}`),
    ...cgroups.filter(isEmpty).map((pattern) => `a cgroup "${pattern}" in ${root ?? 'a mounted hierarchy'}`),
  ];
}
