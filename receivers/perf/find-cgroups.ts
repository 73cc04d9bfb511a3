import type { ReceiverContext } from '../../src/component/component.js';
import { createCgroupResource, startsContainer, startsJob } from '../../src/identity/cgroup.js';
import { findHierarchies, findPerfHierarchy } from '../../src/linux/cgroup/hierarchies.js';
import { CgroupTree, type CgroupFolder } from '../../src/linux/cgroup/tree.js';
import { openFolderWatch } from '../../src/linux/inotify.js';
import type { Resource } from '../../src/model/series.js';
import type { Config } from './config.js';
import type { FoundTarget } from './plan.js';

/** What target finders need. */
export type FinderContext = Pick<ReceiverContext, 'log' | 'host'>;

/** Which cgroups are selected. */
export type CgroupSelection = Pick<Config, 'cgroups' | 'containers' | 'jobs'>;

/** Far deeper than a container in a pod in a container; perf includes everything below anyway. */
const maxDepth = 64;

/** Finds the selected cgroups of the hierarchy that perf events can be counted for, while they come and go. */
export class CgroupFinder {
  /** Root of the search; undefined: no hierarchy is mounted. */
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
    const onUnwatched = (problem: string) => log.warn(`${problem}; each scan takes longer`);
    this.#tree =
      hierarchy &&
      new CgroupTree({
        hierarchies: [hierarchy],
        maxDepth,
        watch: openFolderWatch(onUnwatched),
        onUnwatched,
      });
  }

  /** The current cgroups. */
  async find(): Promise<readonly FoundTarget[]> {
    const changes = await this.#tree?.update();
    if (changes) this.#take(changes.born, changes.gone);
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
      // A cgroup that was removed and recreated is another one.
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

/** Matches paths with a pattern: `*` is any name or part of one, `**` any number of names. */
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
