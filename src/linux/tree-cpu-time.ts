import { CounterGroup, groupReadFormat } from './perf/counter-group.js';
import { openPerfEvent, perfType, softwareEvent } from './perf/event.js';
import { listProcessTree } from './process-tree.js';
import { parseNumbers, readPath, tickNs } from './procfs.js';

/** The CPU time of a process and everything that it starts, as it grows. Must be closed. */
export interface TreeCpuTime {
  /** perf: exact. procfs: in ticks of 10 ms, without orphans. */
  readonly source: 'perf' | 'procfs';
  /** Nanoseconds used since it was opened; never less than the last time. */
  readNs(): number;
  close(): void;
}

/**
 * Counts from the next `execve` of a process on, by a perf event that is inherited by its children. Needs no
 * privilege for a process of the same user at kernel.perf_event_paranoid up to 2.
 * @throws PerfEventError
 */
export function openPerfTreeCpuTime(pid: number): TreeCpuTime {
  const fd = openPerfEvent({
    name: 'task-clock',
    type: perfType.software,
    config: softwareEvent.taskClock,
    pid,
    cpu: -1,
    inherit: true,
    disabled: true,
    enableOnExec: true,
    // The clock counts time in the kernel all the same; asking for it would need more rights.
    excludeKernel: true,
    excludeHypervisor: true,
    readFormat: groupReadFormat,
  });
  const counter = new CounterGroup([fd]);
  return {
    source: 'perf',
    readNs() {
      counter.read();
      return counter.countOf(0);
    },
    close: () => counter.close(),
  };
}

/** Sums up what `/proc` says of a process, its descendants and their dead. */
export function openProcfsTreeCpuTime(pid: number, procfs = '/proc'): TreeCpuTime {
  const before = readTree(pid, procfs);
  let mostNs = 0;
  return {
    source: 'procfs',
    readNs() {
      mostNs = Math.max(mostNs, readTree(pid, procfs) - before);
      return mostNs;
    },
    close() {},
  };
}

function readTree(pid: number, procfs: string): number {
  return listProcessTree(pid, procfs).reduce((ns, one) => ns + readProcess(`${procfs}/${one}`), 0);
}

const buffer = Buffer.alloc(4096);
const fields = new Float64Array(14);

/**
 * CPU time of a process and of those it has waited for: utime, stime, cutime and cstime (proc_pid_stat(5)). 0 when
 * it has ended meanwhile: its parent speaks for it.
 */
function readProcess(folder: string): number {
  const stat = buffer.subarray(0, readStat(folder));
  // Behind the name and the one-letter state the numbers begin with the fourth field.
  parseNumbers(stat, stat.lastIndexOf(')') + 4, fields);
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.subarray(10);
  return (utime + stime + cutime + cstime) * tickNs;
}

function readStat(folder: string): number {
  try {
    return readPath(`${folder}/stat`, buffer);
  } catch {
    return 0;
  }
}
