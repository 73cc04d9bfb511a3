import { statSync, type Stats } from 'node:fs';
import type { FolderEvents, FolderWatch } from '../inotify.js';
import { runInSlices } from '../slices.js';
import { findFolders } from '../sysfs.js';
import { folderOf, joinRoot, type Hierarchy } from './hierarchies.js';

/** A cgroup in one hierarchy, from when it was found until it is removed. One made again is another one. */
export interface CgroupFolder {
  readonly hierarchy: Hierarchy;
  /** As `/proc/PID/cgroup` has it. */
  readonly path: string;
  /** Where its files are. */
  readonly folder: string;
  /** Whether it was made since the update before the one that found it. */
  readonly isBorn: boolean;
  /** Unix time in milliseconds of the first look at it by any process: as a rule when it was made, never earlier. */
  readonly firstSeenMs: number;
  /** The kernel's number of it in its hierarchy, which never belongs to another one. */
  readonly inode: number;
  /** How far below what is mounted, which has depth 0. */
  readonly depth: number;
}

/** What an update found. */
export interface TreeChanges {
  readonly born: ReadonlySet<CgroupFolder>;
  readonly gone: ReadonlySet<CgroupFolder>;
}

/** What a tree works with. */
export interface TreeOptions {
  readonly hierarchies: readonly Hierarchy[];
  /** Cgroups below this depth are left out; the root has depth 0. */
  readonly maxDepth: number;
  /** Closed with the tree. Without it each update looks at every cgroup. */
  readonly watch: Pick<FolderWatch, 'add' | 'remove' | 'drain' | 'close'> | undefined;
  /** Called once, when not every cgroup can be watched, so that each update looks at all of them. */
  onUnwatched(problem: string): void;
}

interface Node extends CgroupFolder {
  /** From where the hierarchy is mounted. */
  readonly place: string;
  readonly watch: number | undefined;
  readonly children: Map<string, Node>;
}

/**
 * The cgroups of all hierarchies, kept up to date by inotify. Births and deaths are queued by the kernel until an update
 * takes them in; where its queue overflows, or watches run out, everything is looked at again.
 */
export class CgroupTree {
  readonly #options: TreeOptions;
  readonly #byWatch = new Map<number, Node>();
  readonly #roots = new Map<Hierarchy, Node>();
  /** Names that came or went since the last update, by the folder that they are in; whether they came last. */
  readonly #touched = new Map<Node, Map<string, boolean>>();
  readonly #events: FolderEvents;
  #born = new Set<Node>();
  #gone = new Set<Node>();
  /** Whether every cgroup is watched. */
  #isComplete: boolean;
  #hasOverflown = false;
  #size = 0;

  constructor(options: TreeOptions) {
    this.#options = options;
    this.#isComplete = options.watch !== undefined;
    this.#events = {
      change: (watch, name, isThere) => this.#touch(watch, name, isThere),
      overflow: () => (this.#hasOverflown = true),
    };
  }

  /** How many cgroups there are, each counted in each of its hierarchies. */
  get size(): number {
    return this.#size;
  }

  /**
   * Takes in what came and went since the last update, in slices between which others run. Not to be called again before
   * it is done.
   * @param isThorough looks at every cgroup, whatever was reported
   */
  update(isThorough = false): Promise<TreeChanges> {
    return runInSlices(this.steps(isThorough));
  }

  /** The same, step by step. */
  *steps(isThorough: boolean): Generator<void, TreeChanges> {
    const isFirst = this.#roots.size === 0;
    this.#born = new Set();
    this.#gone = new Set();
    this.#options.watch?.drain(this.#events);
    const isBlind = this.#hasOverflown || !this.#isComplete;
    this.#hasOverflown = false;
    yield* this.#reconcileTouched();
    // What was not found before although nothing was lost may be older than the last update.
    if (isFirst || isBlind || isThorough) yield* this.#rescan(!isFirst && isBlind);
    return { born: this.#born, gone: this.#gone };
  }

  close(): void {
    this.#options.watch?.close();
    this.#byWatch.clear();
    this.#roots.clear();
  }

  #touch(watch: number, name: string, isThere: boolean): void {
    const node = this.#byWatch.get(watch);
    if (node === undefined) return;
    const names = this.#touched.get(node) ?? new Map<string, boolean>();
    this.#touched.set(node, names.set(name, isThere));
  }

  *#reconcileTouched(): Iterable<void> {
    for (const [parent, names] of this.#touched) {
      for (const [name, isThere] of names) {
        // What came and went unseen needs no look.
        if (isThere || parent.children.has(name)) yield* this.#reconcile(parent, name, true);
      }
    }
    this.#touched.clear();
  }

  *#rescan(isBorn: boolean): Iterable<void> {
    for (const hierarchy of this.#options.hierarchies) {
      const root = this.#roots.get(hierarchy) ?? this.#add(hierarchy, undefined, '', isBorn);
      if (root === undefined) continue;
      this.#roots.set(hierarchy, root);
      yield* this.#visit(root, isBorn);
    }
  }

  /**
   * Looks at everything below a cgroup.
   * @param links those of its folder, if they were just looked at: two of most cgroups, which have none below
   */
  *#visit(node: Node, isBorn: boolean, links?: number): Iterable<void> {
    yield;
    const isEmpty = (links ?? findStats(node.folder)?.nlink) === 2;
    const listed = isEmpty ? [] : findFolders(node.folder);
    for (const name of new Set([...listed, ...node.children.keys()])) {
      const childLinks = yield* this.#reconcile(node, name, isBorn);
      const child = node.children.get(name);
      if (child !== undefined && childLinks !== undefined) yield* this.#visit(child, isBorn, childLinks);
    }
  }

  /**
   * Compares what is there with what is known, and looks below what is new.
   * @returns the links of its folder when it is known and still there
   */
  *#reconcile(parent: Node, name: string, isBorn: boolean): Generator<void, number | undefined> {
    const known = parent.children.get(name);
    const stats = findStats(childFolder(parent, name));
    if (known !== undefined && stats?.ino === known.inode) return stats.nlink;
    if (known !== undefined) this.#remove(parent, name, known);
    if (stats === undefined || parent.depth >= this.#options.maxDepth) return undefined;
    const child = this.#add(parent.hierarchy, parent, name, isBorn);
    if (child === undefined) return undefined;
    parent.children.set(name, child);
    yield* this.#visit(child, isBorn);
    return undefined;
  }

  /** @returns undefined when it has gone already */
  #add(hierarchy: Hierarchy, parent: Node | undefined, name: string, isBorn: boolean): Node | undefined {
    const place = placeOf(parent, name);
    const folder = folderOf(hierarchy, place);
    // Before its folder is listed: what is made later is reported.
    const depth = parent === undefined ? 0 : parent.depth + 1;
    const watch = depth < this.#options.maxDepth ? this.#options.watch?.add(folder) : undefined;
    const stats = findStats(folder);
    if (stats === undefined) return undefined;
    if (typeof watch === 'string') this.#noteUnwatched(watch);
    const node: Node = {
      hierarchy,
      place,
      path: joinRoot(hierarchy, place),
      folder,
      depth,
      inode: stats.ino,
      watch: typeof watch === 'number' ? watch : undefined,
      children: new Map(),
      isBorn,
      firstSeenMs: stats.ctimeMs,
    };
    if (node.watch !== undefined) this.#byWatch.set(node.watch, node);
    this.#born.add(node);
    this.#size++;
    return node;
  }

  #remove(parent: Node, name: string, node: Node): void {
    for (const [each, child] of node.children) this.#remove(node, each, child);
    parent.children.delete(name);
    this.#touched.delete(node);
    this.#size--;
    if (!this.#born.delete(node)) this.#gone.add(node);
    // One that was moved is watched by the same number at its new place.
    if (node.watch === undefined || this.#byWatch.get(node.watch) !== node) return;
    this.#byWatch.delete(node.watch);
    this.#options.watch?.remove(node.watch);
  }

  #noteUnwatched(code: string): void {
    if (this.#isComplete) this.#options.onUnwatched(`Cannot watch all cgroups: ${describeLimit(code)}`);
    this.#isComplete = false;
  }
}

function placeOf(parent: Node | undefined, name: string): string {
  if (parent === undefined) return '/';
  return parent.place === '/' ? `/${name}` : `${parent.place}/${name}`;
}

function childFolder(parent: Node, name: string): string {
  return folderOf(parent.hierarchy, placeOf(parent, name));
}

function describeLimit(code: string): string {
  return code === 'ENOSPC' ? 'ENOSPC; sysctl fs.inotify.max_user_watches=524288' : code;
}

function findStats(folder: string): Stats | undefined {
  try {
    return statSync(folder, { throwIfNoEntry: false });
  } catch {
    // A folder that may not be looked at has no files that could be read.
    return undefined;
  }
}
