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

/** All existing cgroups, in parts that are read one after another. */
export class TrackedCgroups {
  readonly #options: CgroupOptions & PartOptions;
  readonly #byPath = new Map<string, Entry>();
  /**
   * Usually version 2 has the processes of every cgroup. A container runtime that uses only version 1 leaves
   * the processes of its containers in its own version 2 cgroup, so their usage would be counted twice. From
   * the first such container on, version 1 is preferred for all cgroups that it has.
   */
  readonly #version: PreferredVersion = { preferred: 2 };
  #parts: CgroupPart[] = [];
  /** Parts whose details must be read at the next scan. */
  readonly #fresh = new Set<CgroupPart>();

  constructor(options: CgroupOptions & PartOptions) {
    this.#options = options;
  }

  /** Adds a folder. */
  add(found: FoundFolder, ended: Series[]): void {
    const { cgroup, part } = this.#byPath.get(found.folder.path) ?? this.#create(found.folder.path);
    cgroup.add(found, ended);
    part.change();
  }

  /** Ensures that the usage of each process is counted once. Must be called when all folders have been added. */
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

  /** Removes a folder. A cgroup ends with its last folder. */
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

  /** Tries absent files again, and merges parts if many cgroups have been removed. */
  *refresh(): Generator<void> {
    for (const { cgroup, part } of this.#byPath.values()) {
      cgroup.refresh();
      part.change();
      yield;
    }
    if (this.#parts.length > 2 * Math.ceil(this.#byPath.size / partCapacity) + 1) this.#gather();
  }

  /** Yields a table for each part that has CPU time, and undefined after some new cgroups. */
  *readCpu(): Iterable<Table | undefined> {
    for (const part of this.#parts) {
      const table = yield* part.readCpu();
      yield table;
    }
  }

  /**
   * Yields a table for each part that is due, and undefined after some of the files of a part.
   * @param every interval in scans at which a part is due
   */
  *readDetails(scan: number, every: number): Iterable<Table | undefined> {
    for (const [index, part] of this.#parts.entries()) {
      if (!this.#fresh.delete(part) && (scan + index) % every !== 0) continue;
      const table = yield* part.readDetails();
      yield table;
    }
  }

  /** Ends all series. The next reading starts new ones. */
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
