import { describeError } from '../errors.js';
import type { ProgramUsage, TreeAccounting } from '../linux/bpf/tree-accounting.js';
import { findPeakRssBytes, listProcessTree, readChildUsage } from '../linux/children.js';
import { CpuClock } from '../linux/clocks.js';
import { PerfEventError } from '../linux/perf/event.js';
import { openPerfTreeCpuTime, openProcfsTreeCpuTime, type TreeCpuTime } from '../linux/perf/tree-cpu-time.js';
import { parseCpuTimes, readPath, tickNs } from '../linux/procfs.js';

/** CPU time of a command and everything that it started. */
export interface CommandCpuTime {
  readonly totalNs: number;
  readonly userNs: number;
  readonly systemNs: number;
  /** How it was followed while the command ran. */
  readonly source: 'ebpf' | TreeCpuTime['source'];
  /** Why it could not be followed exactly, and what would help; undefined where it could. */
  readonly refusal: string | undefined;
  /** By program, the command's own process first; together they are the total. Without eBPF all is the command's. */
  readonly programs: readonly ProgramUsage[];
}

/** Follows the CPU time of a command that is stopped and about to begin. Must be finished. */
export interface CommandCpu {
  /** What was used so far by program: the command's own process first, new ones last. */
  read(): readonly ProgramUsage[];
  /** The command has ended and was read: resolves when all that ended with it is reported. */
  settle(): Promise<void>;
  /** Stops to follow. Safe to call again. */
  finish(): CommandCpuTime;
}

/**
 * @param tree what follows a command exactly, where this may be used
 * @param sinceNs CLOCK_BOOTTIME before the process was born
 */
export function openCommandCpu(pid: number, tree: TreeAccounting | undefined, sinceNs: bigint): CommandCpu {
  return tree?.follow(sinceNs) === true ? new TracedCpu(pid, tree) : new CountedCpu(pid);
}

/** What getrusage(2) counts: those that have ended and that their parents waited for. */
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

/** What the launch used, or what no parent waited for, is split as the rest is. */
function split(totalNs: number, userShare: number): Pick<CommandCpuTime, 'totalNs' | 'userNs' | 'systemNs'> {
  const userNs = totalNs * userShare;
  return { totalNs, userNs, systemNs: totalNs - userNs };
}

const maxDisagreement = 0.005;

/** Followed by programs in the kernel, which see every process of the tree. */
class TracedCpu implements CommandCpu {
  readonly #tree: TreeAccounting;
  readonly #waited: WaitedUsage;
  readonly #lostBefore: number;
  #finished: CommandCpuTime | undefined;

  constructor(pid: number, tree: TreeAccounting) {
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

  /** What was waited for is part of the tree: where it is more, reports were lost, and the command gets the rest. */
  #count(): CommandCpuTime {
    const waited = this.#waited.read();
    const { totalNs, programs } = this.#tree;
    const excessNs = waited.totalNs - totalNs;
    const hasLost = this.#tree.lost > this.#lostBefore || excessNs > totalNs * maxDisagreement + tickNs;
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
   * getrusage(2) misses what no parent waited for. A perf event misses the end of each process and what a setuid
   * program does, and holds what interrupts and the hypervisor took meanwhile: only a large excess points to
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

/** Follows how large a command gets. Must be finished. */
export class CommandMemory {
  readonly #timer: NodeJS.Timeout;
  #polledBytes = 0;

  /** @param pid of the command, which has just begun */
  constructor(pid: number) {
    this.#timer = setInterval(() => this.#poll(pid), pollMs);
  }

  /** Follows no longer. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Stops to follow; the command has ended and was waited for.
   * @returns the largest resident set of one of its processes, in bytes; undefined for a command that was small
   * and short
   */
  finish(): number | undefined {
    this.stop();
    const { maxRssBytes } = readChildUsage();
    // The kernel counts what the process was before its execve, which was this one.
    if (maxRssBytes > process.resourceUsage().maxRSS * 1024) return maxRssBytes;
    return this.#polledBytes === 0 ? undefined : this.#polledBytes;
  }

  #poll(pid: number): void {
    for (const one of listProcessTree(pid)) {
      this.#polledBytes = Math.max(this.#polledBytes, findPeakRssBytes(one) ?? 0);
    }
  }
}
