import type { CgroupFolder } from '../../src/linux/cgroup/tree.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { CgroupPart, partCapacity, type PartOptions } from './cgroup-part.js';
import {
  TrackedCgroup,
  type CgroupOptions,
  type FoundFolder,
  type PreferredVersion,
} from './tracked-cgroup.js';

interface Entry {
  readonly cgroup: TrackedCgroup;
  part: CgroupPart;
}

/** All cgroups that are there, in parts that are read one by one. */
export class TrackedCgroups {
  readonly #options: CgroupOptions & PartOptions;
  readonly #byPath = new Map<string, Entry>();
  /**
   * Version 2 counts in most cgroups the processes whose cgroup that is. A runtime that uses version 1 alone leaves the
   * processes of its containers in the runtime's own cgroup of version 2, which would have their usage, too: then
   * version 1 counts wherever it has the cgroup, from the first such container on.
   */
  readonly #version: PreferredVersion = { preferred: 2 };
  #parts: CgroupPart[] = [];
  /** Parts whose details have never been read. */
  readonly #fresh = new Set<CgroupPart>();

  constructor(options: CgroupOptions & PartOptions) {
    this.#options = options;
  }

  /** A folder was found. */
  add(found: FoundFolder, ended: Series[]): void {
    const { cgroup, part } = this.#byPath.get(found.folder.path) ?? this.#create(found.folder.path);
    cgroup.add(found, ended);
    part.change();
  }

  /** Takes the usage of no process twice. Called when all folders that were found are added. */
  settle(ended: Series[]): void {
    if (this.#version.preferred === 1) return;
    const entries = [...this.#byPath.values()];
    if (!entries.some(({ cgroup }) => cgroup.isContainerOfFirst)) return;
    this.#version.preferred = 1;
    for (const { cgroup, part } of entries) {
      cgroup.chooseCpu(undefined, ended);
      part.change();
    }
  }

  /** A folder was removed; the last one of a cgroup is its end. */
  remove(folder: CgroupFolder, ended: Series[]): void {
    const entry = this.#byPath.get(folder.path);
    if (entry === undefined) return;
    const { cgroup, part } = entry;
    cgroup.remove(folder, ended);
    part.change();
    if (!cgroup.isGone) return;
    part.remove(cgroup);
    this.#byPath.delete(folder.path);
  }

  /** Tries files again that were not there, and gathers cgroups that lie scattered since many have gone. */
  *refresh(): Generator<void> {
    for (const { cgroup, part } of this.#byPath.values()) {
      cgroup.refresh();
      part.change();
      yield;
    }
    if (this.#parts.length > 2 * Math.ceil(this.#byPath.size / partCapacity) + 1) this.#gather();
  }

  /** A table for each part that has CPU time. */
  *readCpu(): Iterable<Table | undefined> {
    for (const part of this.#parts) yield part.readCpu();
  }

  /**
   * A table for each part whose turn it is, and nothing after some of the files of a part.
   * @param every after this many scans it is its turn again
   */
  *readDetails(scan: number, every: number): Iterable<Table | undefined> {
    for (const [index, part] of this.#parts.entries()) {
      if (!this.#fresh.delete(part) && (scan + index) % every !== 0) continue;
      const table = yield* part.readDetails();
      yield table;
    }
  }

  /** Ends the series of all, which have new ones from the next reading on. */
  *endSeries(ended: Series[]): Generator<void> {
    for (const { cgroup, part } of this.#byPath.values()) {
      cgroup.endSeries(ended);
      part.change();
      yield;
    }
    for (const part of this.#parts) this.#fresh.add(part);
  }

  close(): void {
    for (const { cgroup } of this.#byPath.values()) cgroup.close();
    this.#byPath.clear();
    this.#parts = [];
  }

  #create(path: string): Entry {
    const entry = { cgroup: new TrackedCgroup(path, this.#options, this.#version), part: this.#findRoom() };
    entry.part.add(entry.cgroup);
    this.#byPath.set(path, entry);
    return entry;
  }

  #findRoom(): CgroupPart {
    const found = this.#parts.find(({ size }) => size < partCapacity);
    if (found !== undefined) return found;
    const part = new CgroupPart(this.#options);
    this.#parts.push(part);
    this.#fresh.add(part);
    return part;
  }

  #gather(): void {
    for (const part of this.#parts) part.release();
    this.#parts = [];
    for (const entry of this.#byPath.values()) {
      entry.part = this.#findRoom();
      entry.part.add(entry.cgroup);
    }
  }
}
