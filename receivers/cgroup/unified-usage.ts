import { statfsSync, statSync } from 'node:fs';
import { CgroupLoop } from '../../src/linux/bpf/cgroup-loop.js';
import { withKernelTypes } from '../../src/linux/bpf/recorded-types.js';
import { BudgetedFile, DescriptorBudget } from '../../src/linux/budgeted-file.js';
import type { Hierarchy } from '../../src/linux/cgroup/hierarchies.js';
import type { CgroupFolder } from '../../src/linux/cgroup/tree.js';
import { findFirstReservedFd } from '../../src/linux/privileges.js';
import type { CgroupPass } from './file-reader.js';

/** CGROUP2_SUPER_MAGIC of include/uapi/linux/magic.h */
const unifiedType = 0x63677270;
/** Machines have a few slices right below the root; files beyond these are opened for each reading. */
const maxKeptFiles = 64;
const text = Buffer.allocUnsafeSlow(4096);

/** The CPU time of all cgroups of version 2, read in one call. Must be closed. */
export class UnifiedUsage {
  /** Unix time in nanoseconds of the last pass; undefined: it failed. */
  atNs: bigint | undefined;
  readonly #loop: CgroupLoop;
  readonly #hierarchy: Hierarchy;
  readonly #rootId: number;
  readonly #budget = new DescriptorBudget(maxKeptFiles, findFirstReservedFd());
  /** Reading one of these makes the kernel add up everything below it. */
  readonly #top = new Map<CgroupFolder, BudgetedFile>();

  /**
   * @throws BpfError, or Error when the kernel does not describe its types or lacks a field; or where the hierarchy is no
   * file system of the kernel
   */
  static async open(hierarchy: Hierarchy): Promise<UnifiedUsage> {
    const { folder } = hierarchy;
    if (statfsSync(folder).type !== unifiedType) throw new Error(`${folder} is no mounted cgroup2`);
    const usage = new UnifiedUsage(await withKernelTypes((types) => CgroupLoop.open(types)), hierarchy);
    usage.#loop.read(usage.#rootId);
    if (usage.#loop.count > 0) return usage;
    usage.close();
    throw new Error(`expected the cgroup at ${folder} to be known by its inode, found none`);
  }

  private constructor(loop: CgroupLoop, hierarchy: Hierarchy) {
    this.#loop = loop;
    this.#hierarchy = hierarchy;
    this.#rootId = statSync(hierarchy.folder).ino;
  }

  /** What the last pass found. */
  get pass(): CgroupPass {
    return this.#loop;
  }

  /** Takes up a cgroup that was found. */
  add(folder: CgroupFolder): void {
    if (folder.hierarchy !== this.#hierarchy || folder.depth !== 1) return;
    this.#top.set(folder, new BudgetedFile(`${folder.folder}/cpu.stat`, this.#budget));
  }

  /** It was removed. */
  remove(folder: CgroupFolder): void {
    this.#top.get(folder)?.close();
    this.#top.delete(folder);
  }

  /**
   * Reads all cgroups.
   * @param wallNs Unix time in nanoseconds, now
   * @throws BpfError
   */
  read(wallNs: () => bigint): void {
    this.atNs = undefined;
    const fromNs = wallNs();
    // What the kernel has not added up, only the files have.
    for (const file of this.#top.values()) if (file.read(text) === 'failed') return;
    this.#loop.read(this.#rootId);
    this.atNs = fromNs + (wallNs() - fromNs) / 2n;
  }

  close(): void {
    for (const file of this.#top.values()) file.close();
    this.#top.clear();
    this.#loop.close();
  }
}
