import { describeError } from '../errors.js';
import { type ChildUsage, findPeakRssBytes, readChildUsage, listProcessTree } from '../linux/children.js';
import { CpuClock } from '../linux/clocks.js';
import { PerfEventError } from '../linux/perf/event.js';
import { parseCpuTimes, readPath, tickNs } from '../linux/procfs.js';
import { openPerfTreeCpuTime, openProcfsTreeCpuTime, type TreeCpuTime } from '../linux/perf/tree-cpu-time.js';

/** CPU time of a command and everything that it started. */
export interface CommandCpuTime {
  readonly totalNs: number;
  readonly userNs: number;
  readonly systemNs: number;
  /** How it was followed while the command ran. */
  readonly source: TreeCpuTime['source'];
  /** Why it could not be followed exactly, and what would help; undefined where it could. */
  readonly refusal: string | undefined;
}

const largeExcess = 0.05;

/** Follows the CPU time of a command that is stopped and about to begin. Must be finished. */
export class CommandCpu {
  readonly #tree: TreeCpuTime;
  readonly #refusal: string | undefined;
  readonly #launchNs: number;
  readonly #before: ChildUsage;
  readonly #stealBeforeNs: number;
  #finished: CommandCpuTime | undefined;

  /** @param pid of the stopped process */
  constructor(pid: number) {
    const { tree, refusal } = openTree(pid);
    this.#tree = tree;
    this.#refusal = refusal;
    this.#launchNs = readCpuNs(pid);
    this.#before = readChildUsage();
    this.#stealBeforeNs = readStealNs();
  }

  /** What was used so far. */
  readNs(): number {
    return this.#tree.readNs();
  }

  /** Stops to follow; the command has ended and was waited for. */
  finish(): CommandCpuTime {
    this.#finished ??= this.#count();
    return this.#finished;
  }

  #count(): CommandCpuTime {
    const followedNs = this.#tree.readNs();
    this.#tree.close();
    const after = readChildUsage();
    const userNs = after.userNs - this.#before.userNs;
    const systemNs = after.systemNs - this.#before.systemNs;
    const countedNs = Math.max(0, userNs + systemNs - this.#launchNs);
    const totalNs = this.#choose(followedNs, countedNs);
    // What the launch used, or what no parent waited for, is split as the rest is.
    const scale = userNs + systemNs > 0 ? totalNs / (userNs + systemNs) : 0;
    return {
      totalNs,
      userNs: userNs * scale,
      systemNs: systemNs * scale,
      source: this.#tree.source,
      refusal: this.#refusal,
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
