import { readdirSync, readlinkSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { findPerfHierarchy } from '../../src/linux/cgroup/hierarchies.js';
import { makeCgroup, realHierarchies, type TestCgroup } from '../../src/linux/cgroup/real-cgroups.fixture.js';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';

/** A real cgroup in which perf events can be counted; undefined, and the test is skipped, if that is impossible. */
export function makePerfCgroup(t: TestContext): TestCgroup | undefined {
  const made = makeCgroup(t, findPerfHierarchy(realHierarchies)?.version === 1 ? 'perf_event' : 2);
  if (typeof made === 'object' && perfRefused === false) return made;
  t.skip(typeof made === 'string' ? made : String(perfRefused));
  return undefined;
}

/** Number of open perf events of this process. */
export function countPerfEvents(): number {
  const fds = readdirSync('/proc/self/fd');
  return fds.filter((fd) => findLink(`/proc/self/fd/${fd}`)?.includes('perf_event')).length;
}

/** The listed folder itself is in the list. */
function findLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
