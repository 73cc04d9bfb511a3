import { describeError } from '../errors.js';
import type { ProgramUsage, TreeAccounting } from '../linux/bpf/tree-accounting.js';
import { findPeakRssBytes, listProcessTree, readChildUsage } from '../linux/children.js';
import { CpuClock } from '../linux/clocks.js';
import { PerfEventError } from '../linux/perf/event.js';
import { openPerfTreeCpuTime, openProcfsTreeCpuTime, type TreeCpuTime } from '../linux/perf/tree-cpu-time.js';
import { parseCpuTimes, readPath, tickNs } from '../linux/procfs.js';

/** CPU time of a command and its descendants. */
export interface CommandCpuTime {
  readonly totalNs: number;
  readonly userNs: number;
  readonly systemNs: number;
  /** How it was measured. */
  readonly source: 'ebpf' | TreeCpuTime['source'];
  /** Why it could not be measured exactly, and the remedy; undefined if it was. */
  readonly refusal: string | undefined;
  /**
   * By program, the command's own process first; they add up to the total. Without eBPF everything belongs to
   * the command.
   */
  readonly programs: readonly ProgramUsage[];
}

/** Measures the CPU time of a command that is stopped before its start. Must be finished. */
export interface CommandCpu {
  /** Usage so far by program: the command's own process first, new ones last. */
  read(): readonly ProgramUsage[];
  /** After the command has ended and was read: resolves when everything that ended with it is reported. */
  settle(): Promise<void>;
  /** Stops measuring. May be called again. */
  finish(): CommandCpuTime;
}

/** What the accounting of a command's tree is needed for. */
export type CommandTree = Pick<
  TreeAccounting,
  'follow' | 'followedCount' | 'lost' | 'programs' | 'read' | 'settle' | 'totalNs'
>;

/** How to measure a command. */
export interface CommandCpuOptions {
  /** Measures it exactly, if permitted. */
  readonly tree: CommandTree | undefined;
  /** CLOCK_BOOTTIME before the process was started. */
  readonly sinceNs: bigint;
  /** Receives the reason if `tree` cannot follow it, so that the sum is counted instead. */
  readonly noteSum: (reason: string) => void;
}

export function openCommandCpu(pid: number, { tree, sinceNs, noteSum }: CommandCpuOptions): CommandCpu {
  if (tree?.follow(sinceNs) === true) return new TracedCpu(pid, tree);
  if (tree) noteSum(`expected 1 new child of process ${process.pid}, found ${tree.followedCount}`);
  return new CountedCpu(pid);
}

/** What getrusage(2) counts: processes that have ended and were waited for by their parents. */
class WaitedUsage {
  readonly #launchNs: number;
  readonly #before = readChildUsage();

  /** @param pid of the stopped process */
  constructor(pid: number) {
    this.#launchNs = readCpuNs(pid);
  }

  read(): Record<'totalNs' | 'userShare', number> {
    const after = readChildUsage();
    const userNs = after.userNs - this.#before.userNs;
    const systemNs = after.systemNs - this.#before.systemNs;
    const sumNs = userNs + systemNs;
    return { totalNs: Math.max(0, sumNs - this.#launchNs), userShare: sumNs > 0 ? userNs / sumNs : 0 };
  }
}

/** The usage of the launch, and of processes that no parent waited for, is divided like the rest. */
function split(totalNs: number, userShare: number): Pick<CommandCpuTime, 'totalNs' | 'userNs' | 'systemNs'> {
  const userNs = totalNs * userShare;
  return { totalNs, userNs, systemNs: totalNs - userNs };
}

/** What the launch uses between the first look at its usage and the start of the program; usually less than half of it. */
const maxLaunchNs = 1e6;

/** Measured by programs in the kernel, which see every process of the tree. */
class TracedCpu implements CommandCpu {
  readonly #tree: CommandTree;
  readonly #waited: WaitedUsage;
  readonly #lostBefore: number;
  #finished: CommandCpuTime | undefined;

  constructor(pid: number, tree: CommandTree) {
    this.#tree = tree;
    this.#waited = new WaitedUsage(pid);
    this.#lostBefore = tree.lost;
  }

  read(): readonly ProgramUsage[] {
    this.#tree.read();
    return this.#tree.programs;
  }

  settle(): Promise<void> {
    return this.#tree.settle();
  }

  finish(): CommandCpuTime {
    return (this.#finished ??= this.#count());
  }

  /**
   * Processes that were waited for are part of the tree: if they have used more, reports were lost, as in some virtual
   * machines one end in a hundred is, and the difference goes to the command.
   */
  #count(): CommandCpuTime {
    const waited = this.#waited.read();
    const { totalNs, programs } = this.#tree;
    const excessNs = waited.totalNs - totalNs;
    const hasLost = this.#tree.lost > this.#lostBefore || excessNs > maxLaunchNs;
    const missingNs = hasLost ? Math.max(0, excessNs) : 0;
    return {
      ...split(totalNs + missingNs, waited.userShare),
      source: 'ebpf',
      refusal: undefined,
      programs: addToFirst(programs, missingNs),
    };
  }
}

function addToFirst([first, ...others]: readonly ProgramUsage[], cpuNs: number): readonly ProgramUsage[] {
  return first === undefined ? [] : [{ ...first, cpuNs: first.cpuNs + cpuNs }, ...others];
}

const largeExcess = 0.05;

/** Counted by a perf event that descendants inherit, or else from procfs. */
class CountedCpu implements CommandCpu {
  readonly #tree: TreeCpuTime;
  readonly #refusal: string | undefined;
  readonly #waited: WaitedUsage;
  readonly #stealBeforeNs: number;
  #finished: CommandCpuTime | undefined;

  constructor(pid: number) {
    const { tree, refusal } = openTree(pid);
    this.#tree = tree;
    this.#refusal = refusal;
    this.#waited = new WaitedUsage(pid);
    this.#stealBeforeNs = readStealNs();
  }

  read(): readonly ProgramUsage[] {
    return [{ name: '', cpuNs: this.#tree.readNs(), processes: 1 }];
  }

  settle(): Promise<void> {
    return Promise.resolve();
  }

  finish(): CommandCpuTime {
    return (this.#finished ??= this.#count());
  }

  #count(): CommandCpuTime {
    const followedNs = this.#tree.readNs();
    this.#tree.close();
    const { totalNs, userShare } = this.#waited.read();
    const cpuNs = this.#choose(followedNs, totalNs);
    return {
      ...split(cpuNs, userShare),
      source: this.#tree.source,
      refusal: this.#refusal,
      programs: [{ name: '', cpuNs, processes: 1 }],
    };
  }

  /**
   * getrusage(2) misses processes that no parent waited for. A perf event misses the end of each process and
   * setuid programs, and includes time taken by interrupts and the hypervisor: only a large excess indicates
   * processes that no parent waited for.
   */
  #choose(followedNs: number, countedNs: number): number {
    const mayBeStolenNs = readStealNs() - this.#stealBeforeNs;
    const mostNs = countedNs * (1 + largeExcess) + tickNs + mayBeStolenNs;
    return followedNs > mostNs ? followedNs : countedNs;
  }
}

function openTree(pid: number): { readonly tree: TreeCpuTime; readonly refusal: string | undefined } {
  try {
    return { tree: openPerfTreeCpuTime(pid), refusal: undefined };
  } catch (error) {
    if (!(error instanceof PerfEventError)) throw error;
    return { tree: openProcfsTreeCpuTime(pid), refusal: describeError(error) };
  }
}

function readCpuNs(pid: number): number {
  const clock = new CpuClock();
  return clock.read(pid) ? clock.seconds * 1e9 + clock.nanoseconds : 0;
}

function readStealNs(): number {
  const buffer = new Uint8Array(256 * 1024);
  return parseCpuTimes(buffer.subarray(0, readPath('/proc/stat', buffer))).total.steal * tickNs;
}

const pollMs = 100;

/** Tracks the memory use of a command. Must be finished. */
export class CommandMemory {
  readonly #timer: NodeJS.Timeout;
  #polledBytes = 0;

  /** @param pid of the command, which has just started */
  constructor(pid: number) {
    this.#timer = setInterval(() => this.#poll(pid), pollMs);
  }

  /** Stops tracking. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Stops tracking after the command has ended and was waited for.
   * @returns the largest resident set of one of its processes, in bytes; undefined for a small and short
   * command
   */
  finish(): number | undefined {
    this.stop();
    const { maxRssBytes } = readChildUsage();
    // The kernel includes the memory before its execve, when it was a copy of this process.
    if (maxRssBytes > process.resourceUsage().maxRSS * 1024) return maxRssBytes;
    return this.#polledBytes === 0 ? undefined : this.#polledBytes;
  }

  #poll(pid: number): void {
    for (const one of listProcessTree(pid)) {
      this.#polledBytes = Math.max(this.#polledBytes, findPeakRssBytes(one) ?? 0);
    }
  }
}
