import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { CpuClock } from '../src/linux/clocks.js';
import { readMemoryUse, type MemoryUse } from '../src/linux/memory-use.js';
import { openPidList } from '../src/linux/pid-list.js';
import { ProcessStat } from '../src/linux/process-stat.js';
import { tickNs } from '../src/linux/procfs.js';

/** The process and all its descendants that still run. */
export function listTree(root: number): number[] {
  const parents = readParents();
  const members = new Set([root]);
  // A child may have a smaller pid than its parent, once pids have wrapped.
  for (let size = 0; size < members.size;) {
    size = members.size;
    for (const [pid, parent] of parents) if (members.has(parent)) members.add(pid);
  }
  return [...members];
}

function readParents(): Map<number, number> {
  const list = openPidList('/proc');
  try {
    return new Map([...list.read()].map((pid) => [pid, readStat(pid)?.parentPid ?? 0]));
  } finally {
    list.close();
  }
}

function readStat(pid: number): ProcessStat | undefined {
  const stat = new ProcessStat();
  try {
    const bytes = readFileSync(`/proc/${pid}/stat`);
    return stat.parse(bytes, bytes.length) ? stat : undefined;
  } catch {
    // The process has just exited.
    return undefined;
  }
}

/** CPU milliseconds of a process and all its descendants, including those that have exited. */
export function readTreeCpuMs(root: number): number {
  const clock = new CpuClock();
  return listTree(root).reduce((sum, pid) => {
    const stat = readStat(pid);
    if (stat === undefined || !clock.read(pid)) return sum;
    const ended = ((stat.childUserTicks + stat.childSystemTicks) * tickNs) / 1e6;
    return sum + clock.seconds * 1000 + clock.nanoseconds / 1e6 + ended;
  }, 0);
}

/** Memory of a process and its descendants; shared resident memory counts once for each. */
export function readTreeMemory(root: number): MemoryUse {
  const sum = { residentBytes: 0, privateBytes: 0 };
  for (const pid of listTree(root)) {
    try {
      const { residentBytes, privateBytes } = readMemoryUse(pid);
      sum.residentBytes += residentBytes;
      sum.privateBytes += privateBytes;
    } catch {
      // The process has just exited.
    }
  }
  return sum;
}

const listening = '0A';

/** The TCP ports on which a process or one of its descendants listens. */
export function findPorts(root: number): number[] {
  const sockets = new Set(listTree(root).flatMap(listSockets));
  const lines = ['tcp', 'tcp6'].flatMap((name) =>
    readFileSync(`/proc/${root}/net/${name}`, 'latin1').split('\n'),
  );
  const ports = lines.flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/u);
    if (state !== listening || !sockets.has(`socket:[${inode}]`)) return [];
    return [Number.parseInt(local.split(':')[1] ?? '', 16)];
  });
  return [...new Set(ports)];
}

function listSockets(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    // The process has just exited or closed a descriptor.
    return [];
  }
}
