import { createCgroupResource, startsContainer } from '../../src/identity/cgroup.js';
import type { CgroupFolder } from '../../src/linux/cgroup/tree.js';
import type { Resource, Series } from '../../src/model/series.js';
import type { Config } from './config.js';
import { FileReader, type FileParser } from './file-reader.js';
import { findCpuFile, listDetailFiles, type ListOptions } from './list-files.js';

/** Options of all cgroups. */
export interface CgroupOptions extends Omit<ListOptions, 'isContainer'> {
  readonly metrics: Config['metrics'];
  readonly host: Resource;
}

/** The version that is preferred for the CPU time of cgroups that are in both. */
export interface PreferredVersion {
  preferred: 1 | 2;
}

/** A folder of a cgroup, and when it was created, if that was observed: Unix time in nanoseconds. */
export interface FoundFolder {
  readonly folder: CgroupFolder;
  readonly bornNs: bigint | undefined;
}

/** A cgroup, identified by its path in all hierarchies. */
export class TrackedCgroup {
  readonly path: string;
  readonly #resource: Resource;
  readonly #options: CgroupOptions & ListOptions;
  readonly #version: PreferredVersion;
  readonly #folders = new Map<CgroupFolder, FileReader[]>();
  #cpu: { readonly folder: CgroupFolder; readonly reader: FileReader } | undefined;

  constructor(path: string, options: CgroupOptions, version: PreferredVersion) {
    this.path = path;
    this.#version = version;
    this.#resource = createCgroupResource(path, options.host);
    this.#options = { ...options, isContainer: startsContainer(path) };
  }

  /** Whether it is a container that exists only in version 1. */
  get isContainerOfFirst(): boolean {
    const { isContainer } = this.#options;
    return isContainer && this.#folders.size > 0 && [...this.#folders.keys()].every(isOfFirst);
  }

  /** Whether it no longer exists in any hierarchy. */
  get isGone(): boolean {
    return this.#folders.size === 0;
  }

  /** Files read at every scan. */
  get cpuReaders(): readonly FileReader[] {
    return this.#cpu === undefined || this.#cpu.reader.isAbsent ? [] : [this.#cpu.reader];
  }

  /** Files read less often. */
  get detailReaders(): readonly FileReader[] {
    return [...this.#folders.values()].flat().filter(({ isAbsent }) => !isAbsent);
  }

  /** Adds its folder in a hierarchy. */
  add({ folder, bornNs }: FoundFolder, ended: Series[]): void {
    const files = listDetailFiles(folder, this.#options);
    this.#folders.set(
      folder,
      files.map((file) => this.#open(file, folder, bornNs)),
    );
    this.chooseCpu(bornNs, ended);
  }

  /** Removes its folder in a hierarchy. */
  remove(folder: CgroupFolder, ended: Series[]): void {
    for (const reader of this.#folders.get(folder) ?? []) end(reader, ended);
    this.#folders.delete(folder);
    this.chooseCpu(undefined, ended);
  }

  /** Tries absent files again: a controller may have been enabled. */
  refresh(): void {
    this.#cpu?.reader.retry();
    for (const readers of this.#folders.values()) for (const reader of readers) reader.retry();
  }

  /** Ends its series. Later readings start new ones. */
  endSeries(ended: Series[]): void {
    for (const reader of [...this.cpuReaders, ...this.detailReaders]) reader.end(ended);
  }

  close(): void {
    for (const reader of [...this.cpuReaders, ...this.detailReaders]) reader.close();
  }

  /**
   * Reads the CPU time from the preferred version, or from the other one if the preferred version has no such
   * cgroup.
   */
  chooseCpu(bornNs: bigint | undefined, ended: Series[]): void {
    const order = this.#version.preferred === 2 ? 1 : -1;
    const folders = [...this.#folders.keys()].toSorted(
      (a, b) => order * (b.hierarchy.version - a.hierarchy.version),
    );
    const folder = folders.find((each) => findCpuFile(each, this.#options) !== undefined);
    if (folder !== undefined && folder === this.#cpu?.folder) return;
    if (this.#cpu !== undefined) end(this.#cpu.reader, ended);
    const file = folder && findCpuFile(folder, this.#options);
    this.#cpu = folder && file && { folder, reader: this.#open(file, folder, bornNs) };
  }

  #open(
    file: FileParser,
    { folder, hierarchy, depth, inode }: CgroupFolder,
    bornNs: bigint | undefined,
  ): FileReader {
    return new FileReader(file, {
      folder,
      // The kernel keeps no sum for the root; the files of the root compute its usage differently.
      cgroupId: hierarchy.version === 2 && depth > 0 ? inode : undefined,
      resource: this.#resource,
      budget: this.#options.budget,
      bornNs,
    });
  }
}

function isOfFirst({ hierarchy }: CgroupFolder): boolean {
  return hierarchy.version === 1;
}

function end(reader: FileReader, ended: Series[]): void {
  reader.end(ended);
  reader.close();
}
