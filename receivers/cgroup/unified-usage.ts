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
/** Machines have a few slices directly below the root. Files beyond this number are opened for each reading. */
const maxKeptFiles = 64;
const text = Buffer.allocUnsafeSlow(4096);

/** Reads the CPU time of all version 2 cgroups in one call. Must be closed. */
export class UnifiedUsage {
  /** Unix time in nanoseconds of the last pass; undefined: it failed. */
  atNs: bigint | undefined;
  readonly #loop: CgroupLoop;
  readonly #hierarchy: Hierarchy;
  readonly #rootId: number;
  readonly #budget = new DescriptorBudget(maxKeptFiles, findFirstReservedFd());
  /** Files of top-level cgroups: reading one makes the kernel flush the statistics of all its descendants. */
  readonly #top = new Map<CgroupFolder, BudgetedFile>();

  /**
   * @throws BpfError, or Error if the kernel has no type information or lacks a field, or the hierarchy is not
   * a kernel file system
   */
  static async open(hierarchy: Hierarchy): Promise<UnifiedUsage> {
    const { folder } = hierarchy;
    if (statfsSync(folder).type !== unifiedType)
      throw new Error(`expected a mounted cgroup2 at ${folder}, found none`);
    const loop = await withKernelTypes((types) => CgroupLoop.open(types));
    try {
      const usage = new UnifiedUsage(loop, hierarchy);
      loop.read(usage.#rootId);
      if (loop.count > 0) return usage;
      throw new Error(`expected the cgroup at ${folder} to be known by its inode, found none`);
    } catch (error) {
      loop.close();
      throw error;
    }
  }

  private constructor(loop: CgroupLoop, hierarchy: Hierarchy) {
    this.#loop = loop;
    this.#hierarchy = hierarchy;
    this.#rootId = statSync(hierarchy.folder).ino;
  }

  /** The result of the last pass. */
  get pass(): CgroupPass {
    return this.#loop;
  }

  /** Adds a cgroup. */
  add(folder: CgroupFolder): void {
    if (folder.hierarchy !== this.#hierarchy || folder.depth !== 1) return;
    this.#top.set(folder, new BudgetedFile(`${folder.folder}/cpu.stat`, this.#budget));
  }

  /** Removes a cgroup. */
  remove(folder: CgroupFolder): void {
    this.#top.get(folder)?.close();
    this.#top.delete(folder);
  }

  /**
   * Reads all cgroups.
   * @param wallNs returns the current Unix time in nanoseconds
   * @throws BpfError, or Error if the statistics of a cgroup cannot be flushed
   */
  read(wallNs: () => bigint): void {
    this.atNs = undefined;
    const fromNs = wallNs();
    // Statistics that the kernel has not flushed are only in the files.
    for (const file of this.#top.values()) {
      if (file.read(text) === 'failed') throw new Error(`Cannot read ${file.path}: ${file.errorCode}`);
    }
    this.#loop.read(this.#rootId);
    this.atNs = fromNs + (wallNs() - fromNs) / 2n;
  }

  close(): void {
    for (const file of this.#top.values()) file.close();
    this.#top.clear();
    this.#loop.close();
  }
}
