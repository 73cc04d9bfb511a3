import { nameExecutable } from '../identity/executable.js';
import { describeProcess } from '../identity/process-attributes.js';
import type { Attributes } from '../model/series.js';
import type { SimulatedProcess } from './simulated-process.js';

/**
 * Who a simulated process is, as a receiver reads it from a simulated tree.
 * @param bornNs Unix time in nanoseconds of its birth
 */
export function describeSimulatedProcess(process: SimulatedProcess, bornNs: bigint): Attributes {
  const { pid, program } = process.identity;
  const isKernelThread = program.isKernelThread === true;
  return describeProcess({
    pid,
    bornNs,
    parentPid: parentOf(process),
    name: isKernelThread ? program.name : nameExecutable(program.path),
    path: isKernelThread ? undefined : program.path,
    // TASK_COMM_LEN.
    threadName: isKernelThread ? undefined : program.name.slice(0, 15),
    owner: program.cgroup.startsWith('/user.slice') ? 'user' : 'root',
    cgroup: `0::${program.cgroup}`,
    isKernelThread,
  });
}

/** The parent of a process: what the kernel starts, and what starts all others. */
export function parentOf({ identity: { pid, program } }: SimulatedProcess): number {
  if (pid <= 2) return 0;
  return program.isKernelThread === true ? 2 : 1;
}
