import type { Log } from '../../src/component/log.js';
import {
  ATTR_LINUX_CGROUP_PATH,
  ATTR_PROCESS_EXECUTABLE_NAME,
} from '../../src/model/semantic-conventions.js';
import { resourceKey } from '../../src/model/series.js';
import type { Config } from './config.js';
import { CgroupFinder, createPathPattern, type FinderContext } from './find-cgroups.js';
import { ProcessFinder, type FoundProcess } from './find-processes.js';
import type { FoundTarget } from './plan.js';

/** Whether the settings select processes or cgroups. */
export function hasTargets(config: Config): boolean {
  const { pids, names } = config.processes;
  return pids.length + names.length > 0 || hasCgroups(config);
}

/** Whether the settings select cgroups. */
export function hasCgroups({ cgroups, containers, jobs }: Config): boolean {
  return cgroups.length > 0 || containers || jobs;
}

/** Finds the targets in the settings, repeatedly, and logs those that do not exist at first. Must be closed. */
export class TargetFinder {
  readonly #config: Config;
  readonly #processes: ProcessFinder;
  readonly #cgroups: CgroupFinder | undefined;
  readonly #absent: AbsentTargets;

  constructor(config: Config, context: FinderContext) {
    this.#config = config;
    const { procfs, processes } = config;
    const onUnreadable = (message: string) => context.log.warn(message);
    this.#processes = new ProcessFinder({ ...processes, procfs, onUnreadable });
    this.#cgroups = hasCgroups(config) ? new CgroupFinder(config, context) : undefined;
    this.#absent = new AbsentTargets(config, context.log, this.#cgroups?.folder);
  }

  /** The processes and cgroups in the settings that currently exist. */
  async find(): Promise<readonly FoundTarget[]> {
    const processes = this.#processes.find(this.#config.processes).map(describeTarget);
    const found = [...processes, ...((await this.#cgroups?.find()) ?? [])];
    this.#absent.update(found);
    return found;
  }

  close(): void {
    this.#cgroups?.close();
  }
}

/** A process whose program, user or cgroup changes is a new target. */
function describeTarget({ pid, startTicks, attributes }: FoundProcess): FoundTarget {
  const resource = { attributes };
  return {
    key: `process ${pid} ${startTicks} ${resourceKey(resource)}`,
    name: `process ${pid} (${attributes[ATTR_PROCESS_EXECUTABLE_NAME]})`,
    target: { kind: 'process', pid },
    resource,
  };
}

/** Logs targets of the settings that do not exist: at the first search, and when they appear. */
export class AbsentTargets {
  readonly #config: Config;
  readonly #log: Pick<Log, 'info' | 'warn'>;
  readonly #folder: string;
  #absent: ReadonlySet<string> | undefined;

  /** @param folder of the cgroups */
  constructor(config: Config, log: Pick<Log, 'info' | 'warn'>, folder = 'a mounted hierarchy') {
    this.#config = config;
    this.#log = log;
    this.#folder = folder;
  }

  /** Call it with all targets that a search has found. */
  update(found: readonly FoundTarget[]): void {
    if (this.#absent?.size === 0) return;
    const now = new Set(this.#findAbsent(found));
    if (this.#absent === undefined) {
      for (const name of now)
        this.#log.warn(
          `Cannot count ${name}: expected it at the start, found nothing; it is counted as soon as it appears`,
        );
      this.#absent = now;
      return;
    }
    const come = [...this.#absent].filter((name) => !now.has(name));
    for (const name of come) this.#log.info(`Found ${name}`);
    this.#absent = new Set([...this.#absent].filter((name) => now.has(name)));
  }

  /** Describes pids and cgroup patterns that select nothing. */
  #findAbsent(found: readonly FoundTarget[]): string[] {
    const { processes, cgroups } = this.#config;
    const pids = new Set(found.map(({ target }) => (target.kind === 'process' ? target.pid : undefined)));
    const paths = found.map(({ resource }) => String(resource.attributes[ATTR_LINUX_CGROUP_PATH] ?? ''));
    const isEmpty = (text: string) => {
      const pattern = createPathPattern(text);
      return !paths.some((path) => pattern.test(path));
    };
    return [
      ...processes.pids.filter((pid) => !pids.has(pid)).map((pid) => `process ${pid}`),
      ...cgroups.filter(isEmpty).map((pattern) => `a cgroup "${pattern}" in ${this.#folder}`),
    ];
  }
}
