import { decodeTaskName, type BriefProcess } from '../../src/linux/bpf/accounted-process.js';
import { findOrAdd } from '../../src/model/plan.js';
import { ATTR_CPU_PACKAGE, ATTR_PROCESS_EXECUTABLE_NAME } from '../../src/model/semantic-conventions.js';
import { resourceKey, type Resource, type Series } from '../../src/model/series.js';
import { createRow, type Table } from '../../src/model/table.js';
import { processCpuTime, processPackageTime } from '../../src/model/usage-metrics.js';

/**
 * Limits the number of series if names change constantly: further programs share the series `others`, which has
 * no cgroup.
 */
const maxPrograms = 1000;

/** Maximum number of tasks that are remembered; those beyond it are identified in every scan. */
const maxTasks = 4 * maxPrograms;

const others: Resource = { attributes: { [ATTR_PROCESS_EXECUTABLE_NAME]: 'others' } };

/** The program that a name and cgroups identify. */
export interface BriefIdentity {
  /**
   * @param name the kernel's name of the process, at most 15 bytes
   */
  (name: string, process: BriefProcess): Resource;
}

export interface BriefOptions {
  /** The series of a program end after this many scans without one of its processes. */
  readonly forgottenAfter: number;
  /** The numbers of the packages by which CPU time is divided. */
  readonly packages: readonly number[];
}

interface Program {
  /** The series of its CPU time, and of its CPU time on each package. */
  readonly series: readonly Series[];
  /** Nanoseconds, in the order of the series. */
  readonly ns: Float64Array;
  usedIn: number;
}

/** A kernel's name, a cgroup and a user, and the program that they identify. */
interface Task {
  readonly program: Program;
  usedIn: number;
}

/** The first process of a task, and the CPU time of all its processes. */
interface Newcomer {
  readonly first: BriefProcess;
  readonly ns: Float64Array;
}

/**
 * The CPU time of processes that started and ended between two scans: one series for each program in each
 * cgroup, since a series for each process would have a single row.
 */
export class BriefProcesses {
  readonly #identify: BriefIdentity;
  readonly #options: BriefOptions;
  /** By resource: several tasks can be one program, for example in cgroups that no longer have a path. */
  readonly #programs = new Map<string, Program>();
  readonly #tasks = new Map<string, Task>();
  /**
   * Tasks first seen in this scan. They are identified after the existing processes have been read, from
   * which their cgroups are known.
   */
  readonly #newcomers = new Map<string, Newcomer>();
  #series: readonly Series[] | undefined;
  #scan = 0;
  #startNs: bigint | undefined;

  constructor(identify: BriefIdentity, options: BriefOptions) {
    this.#identify = identify;
    this.#options = options;
  }

  /** Begins a scan. New counters start at the previous scan. */
  begin(startNs: bigint): void {
    this.#scan += 1;
    this.#startNs = startNs;
  }

  /** Adds the CPU time of one process. */
  readonly add = (process: BriefProcess): void => {
    const [a, b, c, d] = process.name;
    const key = `${a},${b},${c},${d},${process.cgroupId},${process.cgroupV1Id},${process.userId}`;
    const task = this.#tasks.get(key);
    if (task === undefined) {
      const first = { ...process, name: process.name.slice() };
      const newcomer = findOrAdd(this.#newcomers, key, () => ({ first, ns: this.#createTimes() }));
      addTimes(newcomer.ns, process);
      return;
    }
    addTimes(task.program.ns, process);
    task.usedIn = task.program.usedIn = this.#scan;
  };

  /**
   * The row of this scan; undefined if there are no values. Must be called after the existing processes have
   * been read.
   */
  read(wallNs: bigint): Table | undefined {
    this.#admit();
    if (this.#programs.size === 0) return undefined;
    this.#series ??= [...this.#programs.values()].flatMap(({ series }) => series);
    const row = new Float64Array(this.#series.length);
    let at = 0;
    for (const { ns } of this.#programs.values()) for (const one of ns) row[at++] = one / 1e9;
    return createRow(this.#series, wallNs, row);
  }

  /** Ends the series of programs that have not run for `forgottenAfter` scans. */
  takeForgotten(): readonly Series[] {
    const isOld = ({ usedIn }: { readonly usedIn: number }) =>
      this.#scan - usedIn >= this.#options.forgottenAfter;
    for (const [key, task] of this.#tasks) if (isOld(task)) this.#tasks.delete(key);
    const forgotten = [...this.#programs].filter(([, program]) => isOld(program));
    for (const [key] of forgotten) this.#programs.delete(key);
    if (forgotten.length > 0) this.#series = undefined;
    return forgotten.flatMap(([, { series }]) => series);
  }

  /** Ends all series. The next processes start new ones. */
  endSeries(): readonly Series[] {
    const ended = [...this.#programs.values()].flatMap(({ series }) => series);
    this.#programs.clear();
    this.#tasks.clear();
    this.#newcomers.clear();
    this.#series = undefined;
    return ended;
  }

  #admit(): void {
    for (const [key, { first, ns }] of this.#newcomers) {
      const isFull = this.#programs.size >= maxPrograms;
      const program = isFull ? this.#programOf(others) : this.#programOf(this.#describe(first));
      for (let i = 0; i < ns.length; i++) program.ns[i] += ns[i];
      program.usedIn = this.#scan;
      if (!isFull && this.#tasks.size < maxTasks) this.#tasks.set(key, { program, usedIn: this.#scan });
    }
    this.#newcomers.clear();
  }

  #describe(process: BriefProcess): Resource {
    return this.#identify(decodeTaskName(process.name), process);
  }

  #programOf(resource: Resource): Program {
    return findOrAdd(this.#programs, resourceKey(resource), () => {
      this.#series = undefined;
      return { series: this.#createSeries(resource), ns: this.#createTimes(), usedIn: this.#scan };
    });
  }

  #createSeries(resource: Resource): readonly Series[] {
    const common = { resource, start: this.#startNs ?? 0n };
    const byPackage = this.#options.packages.map((number) => {
      return { metric: processPackageTime, ...common, attributes: { [ATTR_CPU_PACKAGE]: number } };
    });
    return [{ metric: processCpuTime, ...common, attributes: {} }, ...byPackage];
  }

  #createTimes(): Float64Array {
    return new Float64Array(1 + this.#options.packages.length);
  }
}

function addTimes(ns: Float64Array, { cpuTimeNs, packageNs }: BriefProcess): void {
  ns[0] += cpuTimeNs;
  for (let i = 1; i < ns.length; i++) ns[i] += packageNs[i - 1] ?? 0;
}
