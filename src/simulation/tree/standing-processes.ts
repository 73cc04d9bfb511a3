import type { Machine } from '../machine.js';
import { SimulatedProcess, type Program } from '../simulated-process.js';

/** The process to which `/proc/self` leads: on a real machine whichever reads, which cannot be had of files. */
export const readerPid = 999;

const noRates = { package: 0, core: 0, uncore: 0, dram: 0, gpu: 0, cycles: 0, bytes: 0 };
const session = '/user.slice/user-1000.slice/session-1.scope';

/** The parents of all others, and the reader. They use nothing, so that the truth stays what it is. */
const standing: readonly SimulatedProcess[] = [
  stand(1, { name: 'systemd', cgroup: '/init.scope', path: '/usr/lib/systemd/systemd', residentMib: 12 }),
  stand(2, { name: 'kthreadd', cgroup: '/', path: '', residentMib: 0, isKernelThread: true }),
  stand(readerPid, { name: 'reader', cgroup: session, path: '/usr/bin/reader', residentMib: 4 }),
];

/** Every process that the tree shows. */
export function listProcesses({ liveProcesses }: Machine): readonly SimulatedProcess[] {
  return [...standing, ...liveProcesses];
}

function stand(
  pid: number,
  program: Pick<Program, 'name' | 'cgroup' | 'path' | 'residentMib' | 'isKernelThread'>,
): SimulatedProcess {
  return new SimulatedProcess({
    pid,
    program: { maxPercent: 0, threads: 1, systemPercent: 0, ...program },
    rates: noRates,
    socket: 0,
    gpu: undefined,
    bornUs: 0,
    diesUs: Infinity,
  });
}

/** What the storage was made to move. */
export interface StorageUse {
  readonly readBytes: bigint;
  readonly writtenBytes: bigint;
}

/** Simulated programs read 40 kB and write 20 kB in a millisecond of CPU time, in whole pages. */
export function storageOf(cpuNs: bigint): StorageUse {
  const pages = cpuNs / 200_000n;
  return { readBytes: pages * 8192n, writtenBytes: pages * 4096n };
}
