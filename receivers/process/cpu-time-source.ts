import { CpuClock } from '../../src/linux/cpu-clock.js';
import { readRegularText } from '../../src/linux/regular-file.js';

/** Knows how much CPU time each process has used since its birth: the kernel's CPU clocks, or a program in it. */
export interface CpuTimeSource {
  /** Whole seconds of the last reading. */
  readonly seconds: number;
  /** What the last reading has beyond whole seconds. */
  readonly nanoseconds: number;
  /** A scan begins. A source that reads all processes at once does it here. */
  beginScan?(): void;
  /**
   * Reads one process into `seconds` and `nanoseconds`. Allocates nothing.
   * @returns false when there is no such process
   */
  read(pid: number): boolean;
  close?(): void;
}

/**
 * Finds the finest source for the processes of a procfs.
 * @returns undefined where there are only the ticks of `stat`: the CPU clocks know processes by the numbers of our
 * own pid namespace, a procfs may be that of another or no procfs at all
 */
export function findCpuTimeSource(procfs: string): CpuTimeSource | undefined {
  const clock = new CpuClock();
  return isOwnNamespace(procfs) && clock.read(process.pid) ? clock : undefined;
}

function isOwnNamespace(procfs: string): boolean {
  // One number for each pid namespace from that of the procfs down to ours.
  return findStatusLine(`${procfs}/self/status`, 'NSpid') === String(process.pid);
}

function findStatusLine(path: string, name: string): string | undefined {
  try {
    const prefix = `${name}:\t`;
    const line = readRegularText(path)
      .split('\n')
      .find((each) => each.startsWith(prefix));
    return line?.slice(prefix.length);
  } catch {
    // Neither procfs nor its own entry in it: a folder of test files, or a procfs that we are not part of.
    return undefined;
  }
}
