import {
  ATTR_CONTAINER_ID,
  ATTR_K8S_POD_UID,
  ATTR_SLURM_JOB_ID,
  ATTR_SYSTEMD_OWNER_UID,
  ATTR_SYSTEMD_SLICE,
  ATTR_SYSTEMD_UNIT,
} from '../model/semantic-conventions.js';
import type { Attributes } from '../model/series.js';
import { findContainer, findMachine, findNamedContainer } from './cgroup-containers.js';
import { findBatchJob, findSlurm } from './cgroup-jobs.js';
import { unescapeName, unitName } from './unit-name.js';

/** Recognizes one name of a path, given the names above it, nearest last. */
type Rule = (name: string, above: readonly string[]) => Attributes | undefined;

// The hash of a static pod's manifest has no dashes.
const podUid = String.raw`([0-9a-f]{8}(?:([-_])[0-9a-f]{4}(?:\2[0-9a-f]{4}){2}\2[0-9a-f]{12}|[0-9a-f]{24}))`;
const podSlice = new RegExp(
  String.raw`^(?:.+-)?kubepods(?:-besteffort|-burstable)?-pod${podUid}\.slice(?::.*)?$`,
);
const podFolder = new RegExp(`^pod${podUid}$`);

/** Several times the depth of a container in a pod in a container. Deeper levels are ignored. */
const maxDepth = 64;

const rules: readonly Rule[] = [
  findUnit,
  findContainer,
  findNamedContainer,
  findMachine,
  findPod,
  findSlurm,
  findBatchJob,
];

/**
 * Derives from the path of a cgroup what its processes belong to: systemd unit and slice, container, pod,
 * virtual machine and batch job. Pure. The innermost of nested containers or units counts.
 * @param path in its hierarchy, `/system.slice/cron.service`, or a line of `/proc/PID/cgroup`
 */
export function parseCgroupPath(path: string): Attributes {
  const names = withoutHierarchy(path).split('/').filter(isName).slice(0, maxDepth).map(unescapeName);
  let found: Attributes = {};
  names.forEach((name, at) => {
    const above = names.slice(0, at);
    for (const rule of rules) found = add(found, rule(name, above));
  });
  return found;
}

/** The path in a line of `/proc/PID/cgroup`, `HIERARCHY:CONTROLLERS:PATH`; a plain path is returned unchanged. */
export function withoutHierarchy(line: string): string {
  return withoutMark(line).replace(/^\d+:[^:]*:/, '');
}

/** Removes the kernel's mark on a cgroup that was removed while the process was ending. */
export function withoutMark(line: string): string {
  const mark = ' (deleted)';
  return line.endsWith(mark) ? line.slice(0, -mark.length) : line;
}

/** Outside the reader's cgroup namespace, paths begin with `/..`. */
function isName(name: string): boolean {
  return name !== '' && name !== '..' && name !== '.';
}

/** A nested container or job has no attributes of the outer one. */
function add(before: Attributes, found: Attributes | undefined): Attributes {
  if (found === undefined) return before;
  if (ATTR_CONTAINER_ID in found) return { ...without(before, 'container.'), ...found };
  if (ATTR_SLURM_JOB_ID in found) return { ...without(before, 'slurm.'), ...found };
  return { ...before, ...found };
}

function without(attributes: Attributes, prefix: string): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !name.startsWith(prefix)));
}

/**
 * A systemd unit with a cgroup of its own, with its name as systemd escapes it. The managers of several users
 * have units of the same name: these get the owner, too, as found by sd_pid_get_owner_uid(3).
 */
function findUnit(name: string, above: readonly string[]): Attributes | undefined {
  if (!unitName.test(name)) return undefined;
  const owner = above.flatMap((each) => /^user@(\d+)\.service$/.exec(each)?.[1] ?? []).at(-1);
  return {
    [name.endsWith('.slice') ? ATTR_SYSTEMD_SLICE : ATTR_SYSTEMD_UNIT]: name,
    ...(owner !== undefined && { [ATTR_SYSTEMD_OWNER_UID]: owner }),
  };
}

/** A pod of the kubelet, with the systemd or the cgroupfs driver, in any QoS class. */
function findPod(name: string, above: readonly string[]): Attributes | undefined {
  const [, uid] = (above.includes('kubepods') ? podFolder : podSlice).exec(name) ?? [];
  return uid === undefined ? undefined : { [ATTR_K8S_POD_UID]: uid.replaceAll('_', '-') };
}
