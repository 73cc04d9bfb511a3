import type { CpuPackages } from '../cpu-packages.js';
import type { AccountedProcess, BriefProcess } from './accounted-process.js';
import { BpfError } from './bpf.js';
import type { TypeFacts } from './kernel-types.js';
import { Migrations } from './migrations.js';
import { ProcessLoop } from './process-loop.js';
import { ProcessPass } from './process-pass.js';
import { ProcessTable } from './process-table.js';
import { withKernelTypes } from './recorded-types.js';
import { SwitchSlots } from './switch-slots.js';
import { TaskDeaths } from './task-deaths.js';
import { TaskIterator } from './task-iterator.js';
import { ThreadPass, type Pass } from './thread-pass.js';

/**
 * The exact CPU time of every process: of live ones by a task iterator, up to a tick old while they run, of
 * ended ones by their last report. Needs CAP_BPF and CAP_PERFMON, and a kernel with type information.
 */
export class CpuAccounting {
  readonly #pass: Pass;
  readonly #deaths: TaskDeaths;
  readonly #migrations: Migrations | undefined;
  readonly #table: ProcessTable;
  /** The instant of the CPU times of the last pass: CLOCK_MONOTONIC, in nanoseconds after `originSecond`. */
  readAtNs = NaN;

  /**
   * @param isExact whether the CPU time of running threads is that at the instant of a pass; otherwise it is up
   * to a tick old
   * @param packages if set, CPU time is recorded per package
   * @param refreshEvery number of passes in which the details of each process are read, whether it has run or not
   * @throws BpfError, or Error when the kernel has no type information or lacks a field
   */
  static open(isExact = false, packages?: CpuPackages, refreshEvery?: number): Promise<CpuAccounting> {
    return withKernelTypes((types) => CpuAccounting.#open(types, { isExact, packages, refreshEvery }));
  }

  static async #open(
    types: TypeFacts,
    { isExact, packages, refreshEvery }: AccountingOptions,
  ): Promise<CpuAccounting> {
    const opened: { close(): void }[] = [];
    const note = <Part extends { close(): void }>(part: Part): Part => {
      opened.push(part);
      return part;
    };
    try {
      // Opened before any thread is read, so that all later moves are recorded.
      const migrations = packages && note(await Migrations.open(types, packages));
      const slots = isExact ? note(await SwitchSlots.open(types)) : undefined;
      const loop = slots || migrations ? undefined : await openLoop(types, refreshEvery);
      // Before the map of deaths: its error says which kernel is needed, that of the map which limit is too low.
      const tasks = note(loop ?? (await TaskIterator.open(types, migrations?.maps)));
      const deaths = note(await TaskDeaths.open(types, migrations?.maps));
      if (tasks instanceof ProcessLoop)
        return new CpuAccounting({ pass: new ProcessPass(tasks), deaths, isInFirstNamespace: true });
      const pass = new ThreadPass(tasks, slots, migrations?.maps.count ?? 0);
      return new CpuAccounting({
        pass,
        deaths,
        migrations,
        isInFirstNamespace: tasks.isInFirstNamespace,
      });
    } catch (error) {
      for (const part of opened) part.close();
      throw error;
    }
  }

  private constructor({ pass, deaths, migrations, isInFirstNamespace }: Sources) {
    this.#pass = pass;
    this.#deaths = deaths;
    this.#migrations = migrations;
    this.#table = new ProcessTable(migrations?.maps.count ?? 0, isInFirstNamespace);
  }

  /** Ended threads that were not reported since the start, because too many ended between two passes. */
  get lost(): number {
    return this.#deaths.lost;
  }

  /** Moves of threads to another package that were not recorded since the start, because too many threads had moved. */
  get lostMoves(): number {
    return this.#migrations?.lost ?? 0;
  }

  /** The processes that are new in the last pass, by their ids in this pid namespace. */
  get born(): readonly number[] {
    return this.#table.born;
  }

  /** Whether processes have details: memory and threads. */
  get hasDetails(): boolean {
    return this.#pass.hasDetails;
  }

  /**
   * The processes that have changed in the last pass or by a report since the previous one, likewise; some more
   * than once.
   */
  get changed(): readonly number[] {
    return this.#table.changed;
  }

  /**
   * Reads every process, and passes those that ended before they were claimed (`AccountedProcess`) to `take`, which
   * must not keep them. Outside the initial pid namespace there are none: the namespace of an ended process is
   * unknown.
   * @param bootNs CLOCK_BOOTTIME, read just before
   * @throws Error when the kernel cannot be read
   */
  update(bootNs: number, take: (process: BriefProcess) => void): void {
    this.#table.begin(bootNs);
    this.#migrations?.update();
    const drain = () => this.#deaths.drain((ring, at) => this.#table.addDeath(ring, at, take));
    // Threads that ended before the pass are not in it; their CPU time is in the sum of their process.
    if (this.#migrations) drain();
    this.readAtNs = this.#pass.update(this.#table);
    drain();
    this.#migrations?.forgetUnseen();
    // If passes are far apart, the report arrived long ago.
    this.#table.finish();
  }

  /** The state of a process in the last pass: the same object each time. */
  find(pid: number): AccountedProcess | undefined {
    return this.#table.find(pid);
  }

  /** Ends the accounting. May be called again. */
  close(): void {
    this.#pass.close();
    this.#deaths.close();
    this.#migrations?.close();
  }
}

interface AccountingOptions {
  readonly isExact: boolean;
  readonly packages: CpuPackages | undefined;
  readonly refreshEvery: number | undefined;
}

/** The sources that it reads. */
interface Sources {
  readonly pass: Pass;
  readonly deaths: TaskDeaths;
  readonly migrations?: Migrations | undefined;
  readonly isInFirstNamespace: boolean;
}

/** Undefined if the kernel lacks the loop, or this process is not in the initial pid namespace. */
async function openLoop(
  types: TypeFacts,
  refreshEvery: number | undefined,
): Promise<ProcessLoop | undefined> {
  const options = refreshEvery === undefined ? {} : { refreshEvery };
  const loop = await ProcessLoop.open(types, options).catch((error: unknown) => {
    if (!(error instanceof BpfError)) throw error;
  });
  try {
    loop?.read();
    if (loop?.readerLevel === 0) {
      loop.forget();
      return loop;
    }
    loop?.close();
    return undefined;
  } catch (error) {
    loop?.close();
    throw error;
  }
}
