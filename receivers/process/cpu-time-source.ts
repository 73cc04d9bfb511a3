import type { BriefProcess, CgroupIds } from '../../src/linux/bpf/accounted-process.js';
import { originSecond } from '../../src/linux/clocks.js';

/**
 * Source of the CPU time of each process since its start: the CPU clocks of the kernel, or a program loaded
 * into it.
 */
export interface CpuTimeSource {
  /** Whole seconds of the last reading. */
  readonly seconds: number;
  /** Nanoseconds of the last reading beyond whole seconds. */
  readonly nanoseconds: number;
  /**
   * Whether the process of the last reading still exists. An `ending` process has no files any more, and its
   * CPU time can still change; it becomes `dead` with its last reading. A source that is not notified of ends
   * reports a process as alive or does not find it.
   */
  readonly state: 'alive' | 'ending' | 'dead';
  /**
   * Increases between two readings of a process if its name, user or cgroup has changed. Undefined if the
   * source does not know these; then only the files of the process have them.
   */
  readonly revision: number | undefined;
  /** CPU nanoseconds on each package since its start; undefined if unknown to the source. */
  readonly packageNs: Float64Array | undefined;
  /** State of the main thread, a letter of proc_pid_stat(5); undefined if unknown to the source. */
  readonly taskState: string | undefined;
  /**
   * Memory and threads of the last reading, `detail`, as of when the process last ran or some scans ago; undefined if
   * unknown to the source.
   */
  readonly details?: Float64Array | undefined;
  /** By how many nanoseconds the CPU time of a running process can lag. */
  readonly lagNs: number;
  /** Number of ends that could not be reported, since the start of the source. */
  readonly lost: number;
  /**
   * Number of moves of threads to another package that could not be recorded, since the start of the source;
   * undefined if moves are not recorded.
   */
  readonly lostMoves?: number | undefined;
  /**
   * The processes that the last scan found for the first time; after the first scan, all processes. Undefined
   * if the source does not know which processes exist; then they must be listed.
   */
  readonly born: readonly number[] | undefined;
  /**
   * The processes that changed between the last two scans, possibly with duplicates; all others with a
   * `revision` are unchanged. Undefined if unknown to the source.
   */
  readonly changed?: readonly number[] | undefined;
  /**
   * The time at which the CPU times of all processes of the last scan were read: CLOCK_MONOTONIC, in
   * nanoseconds after `originSecond`. Undefined if each process is read at a different time.
   */
  readonly readAtNs: number | undefined;
  /**
   * Begins a scan. A source that reads all processes at once does so here.
   * @param bootNs CLOCK_BOOTTIME
   * @param take is passed each process that started and ended since the last scan, and must not keep the object
   */
  beginScan(bootNs: number, take: (process: BriefProcess) => void): void;
  /**
   * Reads one process into `seconds`, `nanoseconds` and `state`, without allocating.
   * @param startTicks its start time from `/proc/PID/stat`, if known: the PID may have been reused
   * @returns false if there is no such process
   */
  read(pid: number, startTicks?: number): boolean;
  /** Called for a process that was read but ended before it was identified: a source that reports brief ones reports it. */
  release?(pid: number): void;
  /** Whether the source knows a process and will report its end, which can be after its files have disappeared. */
  holds(pid: number): boolean;
  /** The cgroups of a process, with the same IDs as in brief processes; undefined if unknown to the source. */
  findCgroups(pid: number): CgroupIds | undefined;
  close(): void;
}

/**
 * Unix time at which the CPU time of all processes was read at once, computed from the start of the scan on two
 * clocks.
 */
export function findReadNs(
  source: CpuTimeSource | undefined,
  { wallNs, monotonicNs }: Readonly<Record<'wallNs' | 'monotonicNs', bigint>>,
): bigint | undefined {
  if (source?.readAtNs === undefined) return undefined;
  return wallNs + BigInt(originSecond) * 1_000_000_000n + BigInt(Math.round(source.readAtNs)) - monotonicNs;
}
