import { findFolders } from '../../src/linux/sysfs.js';
import { findL3Packages } from '../../src/linux/topology.js';
import { findOrAdd } from '../../src/model/plan.js';
import { ATTR_CPU_PACKAGE, ATTR_LINUX_RESCTRL_GROUP } from '../../src/model/semantic-conventions.js';
import type { Attributes } from '../../src/model/series.js';
import type { Source } from '../../src/scraping/source.js';
import type { Config } from './config.js';

/** A group's counters for one last-level cache, `mon_data/mon_L3_00`. */
export interface GroupCache {
  readonly folder: string;
  readonly attributes: Attributes;
}

/** Tasks or CPUs that resctrl counts together. */
export interface Group {
  /** Relative to the root of resctrl: `/`, `/mon_groups/a`, `/batch`, `/batch/mon_groups/b`. */
  readonly path: string;
  readonly folder: string;
  readonly caches: readonly GroupCache[];
}

/** Folders in the root other than control groups. */
const reserved = new Set(['info', 'mon_data', 'mon_groups']);

/** The current groups, which users and runtimes create and remove. All sources of a receiver share one listing. */
export class Groups {
  /** For messages. */
  readonly name: string;
  readonly #root: string;
  readonly #limit: number;
  readonly #sysfs: string;
  readonly #known = new Map<string, Group>();
  /** The last listing used by each source, by its number. */
  readonly #seen = new WeakMap<Source, number>();
  #packages: ReadonlyMap<number, number> = new Map();
  #listing = 0;
  /** Whether the last listing was for the first reading of a source, which is not part of a scan. */
  #isProbe = false;
  #version = '';
  #all: readonly Group[] = [];

  constructor({ resctrl, sysfs, group_limit: limit }: Config) {
    this.#root = resctrl;
    this.name = `groups of ${resctrl}`;
    this.#limit = limit === 0 ? Infinity : limit;
    this.#sysfs = sysfs;
  }

  /**
   * Lists the groups for the first source of a scan; the others get the same list.
   * @param source must call this once in each of its readings
   * @returns a text that changes when a group comes or goes
   */
  follow(source: Source): string {
    const seen = this.#seen.get(source);
    const isFirst = seen === undefined;
    // The receiver is starting, possibly again: resctrl may have been mounted or unmounted since.
    if (isFirst) this.#restart();
    if (isFirst || this.#isProbe || seen === this.#listing) {
      this.#list();
      this.#isProbe = isFirst;
    }
    this.#seen.set(source, this.#listing);
    return this.#version;
  }

  /** Each control group, followed by its monitoring groups. The first one is the default group. */
  get all(): readonly Group[] {
    return this.#all;
  }

  #restart(): void {
    this.#packages = findL3Packages(this.#sysfs);
    this.#version = '';
    this.#known.clear();
  }

  #list(): void {
    this.#listing += 1;
    const paths = this.#listPaths();
    // A name cannot contain NUL.
    const version = paths.join('\0');
    if (version === this.#version) return;
    this.#version = version;
    const kept = new Set(paths);
    for (const path of this.#known.keys()) if (!kept.has(path)) this.#known.delete(path);
    this.#all = paths
      .map((path) => findOrAdd(this.#known, path, () => this.#describe(path)))
      .filter(({ caches }) => caches.length > 0);
  }

  #listPaths(): readonly string[] {
    const controls = findFolders(this.#root).filter((name) => !reserved.has(name));
    const paths: string[] = [];
    for (const control of ['', ...controls.toSorted().map((name) => `/${name}`)]) {
      paths.push(control || '/');
      const own = findFolders(`${this.#root}${control}/mon_groups`).toSorted();
      for (const name of own.slice(0, this.#limit)) paths.push(`${control}/mon_groups/${name}`);
    }
    return paths;
  }

  #describe(path: string): Group {
    const folder = path === '/' ? this.#root : `${this.#root}${path}`;
    const caches = findFolders(`${folder}/mon_data`)
      .toSorted()
      .flatMap((name) => {
        const [, id] = /^mon_L3_(\d+)$/u.exec(name) ?? [];
        if (id === undefined) return [];
        const number = Number(id);
        const cpuPackage = this.#packages.get(number);
        const attributes = {
          [ATTR_LINUX_RESCTRL_GROUP]: path,
          'linux.resctrl.l3': number,
          ...(cpuPackage !== undefined && { [ATTR_CPU_PACKAGE]: cpuPackage }),
        };
        return [{ folder: `${folder}/mon_data/${name}`, attributes }];
      });
    return { path, folder, caches };
  }
}
