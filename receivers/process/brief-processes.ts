import { decodeTaskName, type BriefProcess } from '../../src/linux/bpf/accounted-process.js';
import { ATTR_PROCESS_EXECUTABLE_NAME } from '../../src/model/semantic-conventions.js';
import type { Resource, Series } from '../../src/model/series.js';
import { processCpuTime } from '../../src/model/shared-metrics.js';
import { createRow, type Table } from '../../src/model/table.js';

/** Bounds the series where names change all the time: further programs share one, `others`, of no cgroup. */
const maxPrograms = 1000;

/** What a name and a cgroup's number stand for. */
export interface BriefIdentity {
  /**
   * @param name the kernel's name of the process, at most 15 bytes
   * @param cgroupId as in `BriefProcess`
   */
  (name: string, cgroupId: number, process: BriefProcess): Resource;
}

interface Program {
  readonly key: string;
  readonly series: Series;
  cpuTimeNs: number;
  usedIn: number;
}

/**
 * The CPU time of processes that were born and died between two scans: one series for each program in each cgroup,
 * since a series for each process would have a single row.
 */
export class BriefProcesses {
  readonly #identify: BriefIdentity;
  readonly #forgottenAfter: number;
  readonly #programs = new Map<string, Program>();
  /** Programs that this scan saw first, before the processes that are there, by which they are identified. */
  readonly #newcomers = new Map<string, BriefProcess>();
  #series: readonly Series[] | undefined;
  #scan = 0;
  #startNs: bigint | undefined;

  /** @param forgottenAfter scans without a process of a program, after which its series end */
  constructor(identify: BriefIdentity, forgottenAfter: number) {
    this.#identify = identify;
    this.#forgottenAfter = forgottenAfter;
  }

  /** A scan begins, whose counters start, where they are new, at the scan before. */
  begin(startNs: bigint): void {
    this.#scan += 1;
    this.#startNs = startNs;
  }

  /** Adds what one of them used. */
  readonly add = (process: BriefProcess): void => {
    const [a, b, c, d] = process.name;
    const key = `${a},${b},${c},${d},${process.cgroupId}`;
    const program = this.#programs.get(key);
    if (program === undefined) {
      const first = this.#newcomers.get(key) ?? { ...process, name: process.name.slice(), cpuTimeNs: 0 };
      this.#newcomers.set(key, { ...first, cpuTimeNs: first.cpuTimeNs + process.cpuTimeNs });
      return;
    }
    program.cpuTimeNs += process.cpuTimeNs;
    program.usedIn = this.#scan;
  };

  /** The row of this scan, once the processes that are there were read; undefined while there is nothing. */
  read(wallNs: bigint): Table | undefined {
    this.#admit();
    if (this.#programs.size === 0) return undefined;
    this.#series ??= Array.from(this.#programs.values(), ({ series }) => series);
    return createRow(
      this.#series,
      wallNs,
      Float64Array.from(this.#programs.values(), ({ cpuTimeNs }) => cpuTimeNs / 1e9),
    );
  }

  /** Ends the series of programs that have not come for long. */
  takeForgotten(): readonly Series[] {
    const forgotten = [...this.#programs.values()].filter(
      ({ usedIn }) => this.#scan - usedIn >= this.#forgottenAfter,
    );
    for (const { key } of forgotten) this.#programs.delete(key);
    if (forgotten.length > 0) this.#series = undefined;
    return forgotten.map(({ series }) => series);
  }

  /** Ends all series, which begin again with the next process. */
  endSeries(): readonly Series[] {
    const ended = Array.from(this.#programs.values(), ({ series }) => series);
    this.#programs.clear();
    this.#newcomers.clear();
    this.#series = undefined;
    return ended;
  }

  #admit(): void {
    for (const [key, process] of this.#newcomers) {
      const program = this.#create(key, process);
      program.cpuTimeNs += process.cpuTimeNs;
      program.usedIn = this.#scan;
    }
    this.#newcomers.clear();
  }

  #create(key: string, process: BriefProcess): Program {
    const isFull = this.#programs.size >= maxPrograms;
    const programKey = isFull ? 'others' : key;
    const known = this.#programs.get(programKey);
    if (known !== undefined) return known;
    const resource = isFull
      ? { attributes: { [ATTR_PROCESS_EXECUTABLE_NAME]: 'others' } }
      : this.#identify(decodeTaskName(process.name), process.cgroupId, process);
    const series = { metric: processCpuTime, resource, attributes: {}, start: this.#startNs ?? 0n };
    const program = { key: programKey, series, cpuTimeNs: 0, usedIn: this.#scan };
    this.#programs.set(programKey, program);
    this.#series = undefined;
    return program;
  }
}
