import { describeCgroup } from '../../src/identity/cgroup.js';
import type { BriefProcess, CgroupIds } from '../../src/linux/bpf/accounted-process.js';
import { CgroupsById } from '../../src/linux/cgroup/cgroups-by-id.js';
import type { Clock } from '../../src/linux/clock.js';
import {
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_LINUX_CGROUP,
  ATTR_PROCESS_OWNER,
  ATTR_PROCESS_THREAD_NAME,
} from '../../src/model/semantic-conventions.js';
import type { AttributeValue, Resource, Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { partCapacity, ProcessPart } from './process-part.js';
import type { ProcessReader } from './process-reader.js';
import type { Scan } from './scan.js';
import { describeState, type StateCount } from './state-count.js';
import type { TrackedProcess } from './tracked-process.js';

/** The kernel's description of a process that started and ended between two scans. */
export interface BriefDescription {
  readonly name: string;
  readonly process: Pick<BriefProcess, 'cgroupId' | 'cgroupV1Id' | 'parentPid'>;
  readonly owner: string | undefined;
}

/** What is known about a brief process from existing processes with the same thread name or in the same cgroups. */
interface Neighbours {
  readonly programs: Map<unknown, AttributeValue>;
  /** By `keyOf`. */
  readonly cgroups: Map<string, AttributeValue>;
}

/** Most new processes end soon. Among a small number of processes, few series change their positions. */
const nurseryCapacity = 16;

/**
 * All existing processes, in parts that are read one after another. Each consumer of a table builds a plan for
 * its array of series. New processes are therefore kept in a small part until there are enough of them to
 * justify new plans.
 */
export class TrackedProcesses {
  readonly #reader: ProcessReader;
  readonly #clock: Clock;
  readonly #known = new Map<number, TrackedProcess>();
  /** The number of processes in each state, a letter of proc_pid_stat(5). */
  readonly #states = new Map<string, number>();
  readonly #nursery: ProcessPart;
  readonly #cgroups = new CgroupsById();
  #parts: ProcessPart[] = [];
  /** Created when the first brief process of a scan is described. */
  #neighbours: Neighbours | undefined;

  constructor(reader: ProcessReader, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
    this.#nursery = this.#createPart();
  }

  /** Compares the processes with a new listing. Those that started or ended are handled when their parts are read. */
  match(pids: readonly number[], refused: ReadonlySet<number>, scan: Scan): void {
    for (const pid of pids) {
      const process = this.#known.get(pid);
      if (process !== undefined) process.listedIn = scan.listing;
    }
    // A process that has ended may be missing in the listing although its CPU time is not complete yet.
    for (const process of this.#known.values()) {
      if (process.listedIn !== scan.listing && this.#reader.cpuTime?.holds(process.pid) === true) {
        process.listedIn = scan.listing;
      }
    }
    this.admit(pids, refused);
  }

  /** Adds those of some processes that are not known yet, when their parts are read. */
  admit(pids: readonly number[], refused: ReadonlySet<number>): void {
    const arrivals = pids.filter((pid) => !this.#known.has(pid) && !refused.has(pid));
    const isCrowd = this.#nursery.size + arrivals.length > nurseryCapacity;
    for (const pid of arrivals) (isCrowd ? this.#findRoom() : this.#nursery).expect(pid);
  }

  /**
   * Reads the parts one after another. Yields a table for each part that has one, and undefined after some new
   * processes.
   */
  *read(scan: Scan): Iterable<Table | undefined> {
    this.#neighbours = undefined;
    const isThorough = this.#isThorough(scan);
    if (!isThorough) this.#expectChanged();
    for (const part of [...this.#parts, this.#nursery]) {
      const table = yield* part.read(scan, isThorough);
      yield table;
    }
    if (this.#nursery.size > nurseryCapacity / 2) this.#place(this.#nursery.release());
    // If many processes have ended, the remaining ones are scattered over many parts.
    if (this.#parts.length > 2 * Math.ceil(this.#known.size / partCapacity) + 1) this.#gather();
  }

  /** Whether all processes are read, not only those that have changed. */
  #isThorough(scan: Scan): boolean {
    const { cpuTime, hasMaps } = this.#reader;
    return cpuTime?.changed === undefined || hasMaps || scan.isFirst || scan.isListing;
  }

  #expectChanged(): void {
    for (const pid of this.#reader.cpuTime?.changed ?? []) {
      const process = this.#known.get(pid);
      if (process) process.part?.expectChange(process);
    }
  }

  /** Adds the states of all processes. */
  countStates(counts: StateCount): void {
    for (const [letter, count] of this.#states) counts.add(describeState(letter), count);
  }

  /**
   * Identifies a process that started and ended between two scans: program and cgroup are taken from existing
   * processes, otherwise the cgroup from its ID or from the parent.
   */
  describeBrief({ name, process, owner }: BriefDescription): Resource {
    const { programs, cgroups } = (this.#neighbours ??= this.#indexNeighbours());
    const cgroup =
      cgroups.get(keyOf(process)) ??
      this.#findCgroup(process) ??
      this.#known.get(process.parentPid)?.attributes[ATTR_PROCESS_LINUX_CGROUP];
    return {
      attributes: {
        [ATTR_PROCESS_EXECUTABLE_NAME]: programs.get(name) ?? name,
        ...(owner !== undefined && { [ATTR_PROCESS_OWNER]: owner }),
        ...(typeof cgroup === 'string' && { [ATTR_PROCESS_LINUX_CGROUP]: cgroup, ...describeCgroup(cgroup) }),
      },
    };
  }

  /** Finds the path of cgroups without known processes: that of version 2, unless only version 1 has one. */
  #findCgroup({ cgroupId, cgroupV1Id }: CgroupIds): string | undefined {
    const path = this.#cgroups.findPath(cgroupId);
    return path === undefined || (path === '/' && cgroupV1Id !== 0) ? undefined : `0::${path}`;
  }

  #indexNeighbours(): Neighbours {
    const neighbours: Neighbours = { programs: new Map(), cgroups: new Map() };
    for (const { pid, attributes } of this.#known.values()) {
      const ids = this.#reader.cpuTime?.findCgroups(pid);
      if (ids) addFirst(neighbours.cgroups, keyOf(ids), attributes[ATTR_PROCESS_LINUX_CGROUP]);
      addFirst(
        neighbours.programs,
        attributes[ATTR_PROCESS_THREAD_NAME],
        attributes[ATTR_PROCESS_EXECUTABLE_NAME],
      );
    }
    return neighbours;
  }

  /** Ends the series of all processes. The next scan starts new ones. */
  endSeries(): readonly Series[] {
    return [...this.#known.values()].flatMap((process) => process.endSeries());
  }

  close(): void {
    for (const process of this.#known.values()) process.close();
    this.#known.clear();
    this.#states.clear();
    this.#cgroups.close();
    this.#parts = [];
  }

  #findRoom(): ProcessPart {
    const found = this.#parts.find(({ size }) => size < partCapacity);
    if (found !== undefined) return found;
    const part = this.#createPart();
    this.#parts.push(part);
    return part;
  }

  #createPart(): ProcessPart {
    return new ProcessPart({
      reader: this.#reader,
      clock: this.#clock,
      known: this.#known,
      states: this.#states,
    });
  }

  #gather(): void {
    const scattered = this.#parts.flatMap((part) => part.release());
    this.#parts = [];
    this.#place(scattered);
  }

  #place(processes: readonly TrackedProcess[]): void {
    for (const process of processes) this.#findRoom().adopt(process);
  }
}

function keyOf({ cgroupId, cgroupV1Id }: CgroupIds): string {
  return `${cgroupId} ${cgroupV1Id}`;
}

function addFirst<K>(map: Map<K, AttributeValue>, key: K, value: AttributeValue | undefined): void {
  if (value !== undefined && !map.has(key)) map.set(key, value);
}
