import { dirname } from 'node:path/posix';
import {
  ATTR_CONTAINER_ID,
  ATTR_FLUX_JOB_ID,
  ATTR_LINUX_CGROUP_PATH,
  ATTR_OAR_JOB_ID,
  ATTR_PBS_JOB_ID,
  ATTR_SLURM_JOB_ID,
} from '../model/semantic-conventions.js';
import type { Attributes, Resource } from '../model/series.js';
import { parseCgroupPath, withoutHierarchy, withoutMark } from './cgroup-path.js';

/** The cgroup that identifies a process best. */
export interface CgroupIdentity {
  /** Its line of `/proc/PID/cgroup`, as the semantic conventions define `process.linux.cgroup`. */
  readonly line: string;
  /** The attributes derived from its path. */
  readonly attributes: Attributes;
}

// Limits on what other programs control: number of cgroups, and length of their paths.
const maxKnown = 4096;
const maxKnownLength = 4096;
const knownPaths = new Map<string, Attributes>();
const knownFiles = new Map<string, CgroupIdentity>();

/**
 * The attributes derived from a cgroup path by `parseCgroupPath`: the same object as long as it is cached.
 * @param path in its hierarchy, or a line of `/proc/PID/cgroup`
 */
export function describeCgroup(path: string): Attributes {
  return remember(knownPaths, withoutHierarchy(path), parseCgroupPath);
}

/** The resource of a cgroup: that of its host, its path, and the attributes derived from it. */
export function createCgroupResource(path: string, host: Resource): Resource {
  return { attributes: { ...host.attributes, [ATTR_LINUX_CGROUP_PATH]: path, ...describeCgroup(path) } };
}

/** Whether a cgroup is that of a whole container: it has a container id that its parent does not have. */
export function startsContainer(path: string): boolean {
  return starts(path, [ATTR_CONTAINER_ID]);
}

/** Whether a cgroup is that of a whole batch job, with all its steps. */
export function startsJob(path: string): boolean {
  return starts(path, [ATTR_SLURM_JOB_ID, ATTR_OAR_JOB_ID, ATTR_PBS_JOB_ID, ATTR_FLUX_JOB_ID]);
}

function starts(path: string, names: readonly string[]): boolean {
  const [own, above] = [describeCgroup(path), describeCgroup(dirname(path))];
  return names.some((name) => own[name] !== undefined && own[name] !== above[name]);
}

/**
 * Finds in `/proc/PID/cgroup` the cgroup that identifies a process best. That is one with a container, pod,
 * virtual machine or job, if there is any: on hybrid systems, version 2 may only have the service of the
 * container. Among equally informative ones, version 2 is preferred unless it is the root, then the deepest,
 * then the one with CPU accounting.
 */
export function identifyCgroup(text: string): CgroupIdentity {
  return remember(knownFiles, text, findBest);
}

function findBest(text: string): CgroupIdentity {
  let best: CgroupIdentity = { line: '0::/', attributes: {} };
  let bestRank = rank(best);
  for (const each of text.split('\n')) {
    const line = withoutMark(each);
    const identity = { line, attributes: describeCgroup(line) };
    const itsRank = rank(identity);
    if (itsRank <= bestRank) continue;
    best = identity;
    bestRank = itsRank;
  }
  return best;
}

function rank({ line, attributes }: CgroupIdentity): number {
  const depth = countNames(withoutHierarchy(line));
  const hasWorkload = Object.keys(attributes).some((name) => !name.startsWith('systemd.'));
  const isUnified = line.startsWith('0::') && depth > 0;
  const countsCpuTime = /^\d+:(?:[^:]*,)?cpu(?:acct)?[,:]/.test(line);
  // Each weight exceeds the sum of those to its right: paths have at most 4096 bytes.
  return (hasWorkload ? 1e5 : 0) + (isUnified ? 1e4 : 0) + depth + (countsCpuTime ? 0.5 : 0);
}

function countNames(path: string): number {
  return path.length <= 1 ? 0 : path.split('/').length;
}

/** Clears the cache when it is full: what is still needed is quickly recomputed. */
function remember<Value>(known: Map<string, Value>, key: string, find: (key: string) => Value): Value {
  const before = known.get(key);
  if (before !== undefined) return before;
  const found = find(key);
  if (key.length > maxKnownLength) return found;
  if (known.size >= maxKnown) known.clear();
  known.set(key, found);
  return found;
}
