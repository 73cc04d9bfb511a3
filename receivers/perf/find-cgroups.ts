import { setImmediate } from 'node:timers/promises';
import type { ReceiverContext } from '../../src/component/component.js';
import type { Log } from '../../src/component/log.js';
import type { Resource } from '../../src/model/series.js';
import { describeError } from '../../src/errors.js';
import { createCgroupResource, startsContainer, startsJob } from '../../src/identity/cgroup.js';
import { findHierarchies, findPerfHierarchy } from '../../src/linux/cgroup/hierarchies.js';
import { CgroupTree, type CgroupFolder } from '../../src/linux/cgroup/tree.js';
import { FolderWatch } from '../../src/linux/inotify.js';
import type { Config } from './config.js';
import type { FoundTarget } from './find-targets.js';

/** What finding of targets needs. */
export type FinderContext = Pick<ReceiverContext, 'log' | 'host'>;

/** Which cgroups are wanted. */
export type CgroupSelection = Pick<Config, 'cgroups' | 'containers' | 'jobs'>;

/** Far deeper than a container in a pod in a container; perf counts what is below with it in any case. */
const maxDepth = 64;

/** The main thread does other things after this long. */
const sliceMs = 2;

/** Finds the selected cgroups of the hierarchy that perf events can be counted for, as they come and go. */
export class CgroupFinder {
  /** Where it looks; undefined: no hierarchy is mounted. */
  readonly folder: string | undefined;
  readonly #selects: (path: string) => boolean;
  readonly #tree: CgroupTree | undefined;
  readonly #host: Resource;
  readonly #found = new Map<CgroupFolder, FoundTarget>();
  #last = 0;

  constructor(config: Config, { log, host }: FinderContext) {
    this.#host = host;
    const hierarchy = findPerfHierarchy(findHierarchies(config));
    this.folder = hierarchy?.folder;
    this.#selects = createSelection(config);
    this.#tree =
      hierarchy &&
      new CgroupTree({
        hierarchies: [hierarchy],
        maxDepth,
        watch: openWatch(log),
        onUnwatched: (problem) => log.warn(`${problem}; each look takes longer`),
      });
  }

  /** Those that are here now. */
  async find(): Promise<readonly FoundTarget[]> {
    const steps = this.#tree?.update(false);
    let sliceEndMs = performance.now() + sliceMs;
    for (let step = steps?.next(); step !== undefined; step = steps?.next()) {
      if (step.done === true) {
        this.#take(step.value.born, step.value.gone);
        break;
      }
      if (performance.now() < sliceEndMs) continue;
      await setImmediate();
      sliceEndMs = performance.now() + sliceMs;
    }
    return [...this.#found.values()];
  }

  close(): void {
    this.#tree?.close();
  }

  #take(born: Iterable<CgroupFolder>, gone: Iterable<CgroupFolder>): void {
    for (const cgroup of gone) this.#found.delete(cgroup);
    for (const cgroup of born)
      if (this.#selects(cgroup.path)) this.#found.set(cgroup, this.#describe(cgroup));
  }

  #describe({ path, folder }: CgroupFolder): FoundTarget {
    return {
      // One that was removed and made again is another one.
      key: `cgroup ${path} ${++this.#last}`,
      name: `cgroup ${path}`,
      target: { kind: 'cgroup', folder },
      resource: createCgroupResource(path, this.#host),
    };
  }
}

/** Whether a path is selected by a pattern, or as a container or job. */
export function createSelection({ cgroups, containers, jobs }: CgroupSelection): (path: string) => boolean {
  const patterns = cgroups.map(createPathPattern);
  return (path) =>
    patterns.some((pattern) => pattern.test(path)) ||
    (containers && startsContainer(path)) ||
    (jobs && startsJob(path));
}

/** Matches the paths for which a pattern stands: `*` is any name or part of one, `**` any number of names. */
export function createPathPattern(pattern: string): RegExp {
  const names = pattern.split('/').filter((name) => name !== '');
  if (names.length === 0) return /^\/$/u;
  return new RegExp(`^${names.map(describeName).join('')}$`, 'su');
}

function describeName(name: string): string {
  if (name === '**') return '(?:/[^/]+)*';
  const parts = name.split('*').map((text) => text.replaceAll(/[\\^$.+?()[\]{}|]/gu, String.raw`\$&`));
  return `/(?=[^/])${parts.join('[^/]*')}`;
}

function openWatch(log: Pick<Log, 'warn'>): FolderWatch | undefined {
  try {
    return new FolderWatch();
  } catch (error) {
    log.warn(`${describeError(error)}; each look takes longer`);
    return undefined;
  }
}
