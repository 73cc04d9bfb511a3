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
  /** Its line of `/proc/PID/cgroup`: what the semantic conventions want in `process.linux.cgroup`. */
  readonly line: string;
  /** What its path says. */
  readonly attributes: Attributes;
}

// Bounds for what others decide: how many cgroups there are, and how long their paths.
const maxKnown = 4096;
const maxKnownLength = 4096;
const knownPaths = new Map<string, Attributes>();
const knownFiles = new Map<string, CgroupIdentity>();

/**
 * What the path of a cgroup says, as `parseCgroupPath` has it: the same object as long as it is remembered.
 * @param path in its hierarchy, or a line of `/proc/PID/cgroup`
 */
export function describeCgroup(path: string): Attributes {
  return remember(knownPaths, withoutHierarchy(path), parseCgroupPath);
}

/** The resource of a cgroup: that of its host, its path, and what that says. */
export function createCgroupResource(path: string, host: Resource): Resource {
  return { attributes: { ...host.attributes, [ATTR_LINUX_CGROUP_PATH]: path, ...describeCgroup(path) } };
}

/** Whether a cgroup is that of a whole container: it has the id of one, and its parent has not. */
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
 * Finds in `/proc/PID/cgroup` the cgroup that identifies a process best. That is one with a container, a pod, a virtual
 * machine or a job, if there is any: on hybrid systems, version 2 may have the container's service only. Among those
 * that say equally much, version 2 is preferred unless it is the root, then the deepest, then the one that counts CPU
 * time.
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
  // Each sum of the parts to the right is less than a part to the left: paths have at most 4096 bytes.
  return (hasWorkload ? 1e5 : 0) + (isUnified ? 1e4 : 0) + depth + (countsCpuTime ? 0.5 : 0);
}

function countNames(path: string): number {
  return path.length <= 1 ? 0 : path.split('/').length;
}

/** Forgets everything once there is too much: what is still needed is soon found again. */
function remember<Value>(known: Map<string, Value>, key: string, find: (key: string) => Value): Value {
  const before = known.get(key);
  if (before !== undefined) return before;
  const found = find(key);
  if (key.length > maxKnownLength) return found;
  if (known.size >= maxKnown) known.clear();
  known.set(key, found);
  return found;
}
