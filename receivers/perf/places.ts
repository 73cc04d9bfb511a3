import { closeSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { UnavailableError } from '../../src/errors.js';
import { closePerfEvent, openPerfEvent, PerfEventError, perfType } from '../../src/linux/perf/event.js';
import type { CountingPlace } from '../../src/linux/perf/place.js';
import { openFolder } from '../../src/linux/regular-file.js';
import { findNames } from '../../src/linux/sysfs.js';
import { listOnline } from './online-cpus.js';
import type { Plan, Target } from './plan.js';

/** Where a target is counted. Must be closed once its counters are open. */
export interface Places {
  readonly places: readonly CountingPlace[];
  /** Whether threads that start later must be searched: this kernel cannot count them by itself. */
  readonly isGrowing: boolean;
  close(): void;
}

/** @throws UnavailableError if the target is gone */
export function openPlaces({ target, sysfs, procfs }: Plan): Places {
  switch (target.kind) {
    case 'machine':
      return {
        places: listOnline(sysfs).map((cpu) => ({ pid: -1, cpu })),
        ...settled,
      };
    case 'process':
      return openProcess(target.pid, procfs);
    case 'cgroup':
      return openCgroup(target.folder, listOnline(sysfs));
  }
}

/** The threads of a process; none if it has ended. */
export function listThreads(pid: number, procfs: string): readonly number[] {
  return findNames(join(procfs, String(pid), 'task')).map(Number);
}

/** Where a thread is counted. */
export function placeThread(tid: number, inheritsThreads: boolean): CountingPlace {
  const inheritance = inheritsThreads ? { inherit: true, inheritThread: true } : {};
  return { pid: tid, cpu: -1, ...inheritance };
}

const settled = { isGrowing: false, close() {} } as const;

function openProcess(pid: number, procfs: string): Places {
  const threads = listThreads(pid, procfs);
  if (threads.length === 0)
    throw new UnavailableError(`Cannot count process ${pid}: expected a running process, found none`);
  const inheritsThreads = canInheritThreads(pid);
  const places = threads.map((tid) => placeThread(tid, inheritsThreads));
  return { places, isGrowing: !inheritsThreads, close() {} };
}

/** Since Linux 5.13. */
function canInheritThreads(pid: number): boolean {
  const dummy = { name: 'dummy', type: perfType.software, config: 9, excludeKernel: true };
  try {
    closePerfEvent(openPerfEvent({ ...dummy, ...placeThread(pid, true) }));
    return true;
  } catch (error) {
    if (error instanceof PerfEventError) return error.code !== 'EINVAL' && error.code !== 'E2BIG';
    throw error;
  }
}

function openCgroup(folder: string, cpus: readonly number[]): Places {
  const fd = openCgroupFolder(folder);
  const places = cpus.map((cpu) => ({ pid: fd, isCgroup: true, cpu }));
  return { places, isGrowing: false, close: () => closeSync(fd) };
}

/**
 * Whether a target is a cgroup that was removed: the kernel then refuses to open events for it with ENOENT or
 * ENODEV.
 */
export function isCgroupGone(target: Target): boolean {
  return target.kind === 'cgroup' && !existsSync(target.folder);
}

function openCgroupFolder(folder: string): number {
  try {
    return openFolder(folder);
  } catch (cause) {
    throw new UnavailableError(`Cannot count cgroup ${folder}: expected a folder, found none`, { cause });
  }
}
