import { listProcessTree } from '../children.js';
import { ProcessStat } from '../process-stat.js';
import { tickNs } from '../procfs.js';
import { CounterGroup, groupReadFormat } from './counter-group.js';
import { openPerfEvent, perfType, softwareEvent } from './event.js';

/** The CPU time of a process and all its descendants, while it grows. Must be closed. */
export interface TreeCpuTime {
  /** perf: exact. procfs: in ticks of 10 ms, without orphans. */
  readonly source: 'perf' | 'procfs';
  /** Nanoseconds used since it was opened; never decreasing. */
  readNs(): number;
  close(): void;
}

/**
 * Counts from the next `execve` of a process on, with a perf event that its children inherit. Needs no
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
    // The clock includes time in the kernel all the same; requesting it would need more privileges.
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

/** Adds up the times in `/proc` of a process, its descendants and their ended children. */
export function openProcfsTreeCpuTime(pid: number, procfs = '/proc'): TreeCpuTime {
  const before = readTree(pid, procfs);
  let maxNs = 0;
  return {
    source: 'procfs',
    readNs() {
      maxNs = Math.max(maxNs, readTree(pid, procfs) - before);
      return maxNs;
    },
    close() {},
  };
}

function readTree(pid: number, procfs: string): number {
  return listProcessTree(pid, procfs).reduce((ns, one) => ns + readProcess(`${procfs}/${one}`), 0);
}

const stat = new ProcessStat();

/**
 * CPU time of a process and of the children it has waited for. 0 if it has ended meanwhile: then it is included
 * in its parent's.
 */
function readProcess(folder: string): number {
  if (!stat.read(folder)) return 0;
  const ticks = stat.userTicks + stat.systemTicks + stat.childUserTicks + stat.childSystemTicks;
  return ticks * tickNs;
}
