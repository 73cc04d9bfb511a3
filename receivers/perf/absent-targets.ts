import type { Log } from '../../src/component/log.js';
import type { Config } from './config.js';
import { findCgroupRoot, findCgroups } from './find-cgroups.js';
import type { FoundTarget } from './find-targets.js';

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
function findAbsent(
  { processes, cgroups, cgroupfs, procfs }: Config,
  found: readonly FoundTarget[],
): string[] {
  const pids = new Set(found.map(({ target }) => (target.kind === 'process' ? target.pid : undefined)));
  const root = cgroupfs === '' ? findCgroupRoot(procfs) : cgroupfs;
  const isEmpty = (pattern: string) => root === undefined || findCgroups([pattern], root).length === 0;
  return [
    ...processes.pids.filter((pid) => !pids.has(pid)).map((pid) => `process ${pid}`),
    ...cgroups.filter(isEmpty).map((pattern) => `a cgroup "${pattern}" in ${root ?? 'a mounted hierarchy'}`),
  ];
}
