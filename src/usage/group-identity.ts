import {
  ATTR_LINUX_CGROUP_PATH,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_LINUX_CGROUP,
} from '../model/semantic-conventions.js';
import { resourceKey, type Attributes, type AttributeValue, type Resource } from '../model/series.js';
import type { ViewDefinition } from './views.js';

/** The group of a view to which a workload belongs. */
export interface GroupIdentity {
  readonly key: string;
  /** The attributes that define it. */
  readonly attributes: Attributes;
  readonly isNone: boolean;
}

/**
 * The group of a view to which a workload belongs.
 * @param common attributes that every resource has unless it has others of these names; they do not describe a
 * workload
 */
export function identifyGroup(
  definition: ViewDefinition,
  workload: Resource,
  common: Attributes,
): GroupIdentity {
  const { groupBy } = definition;
  if (groupBy.length === 0) {
    return { key: resourceKey(workload), attributes: workload.attributes, isNone: false };
  }
  const found = groupBy.map((names) => findFirst(workload.attributes, names, common));
  const isNone = found[0] === undefined;
  const attributes: Attributes = isNone
    ? { [firstAttribute(definition)]: 'none' }
    : Object.fromEntries(found.flatMap((pair) => (pair ? [pair] : [])));
  return { key: resourceKey({ attributes }), attributes, isNone };
}

/** The attribute that identifies `none` and `other`. */
export function firstAttribute({
  groupBy: [names = ATTR_PROCESS_EXECUTABLE_NAME],
}: Pick<ViewDefinition, 'groupBy'>): string {
  return names.replace(/\|.*/, '');
}

/**
 * The attributes of a group's published series.
 * @param shared attributes that its workloads have in common
 * @param machine known attributes of the machine
 */
export function describeGroup(
  { groupBy, keep }: ViewDefinition,
  { attributes, isNone }: GroupIdentity,
  shared: Attributes,
  machine: Attributes,
): Attributes {
  if (groupBy.length === 0 && !isNone) return attributes;
  const isKept = (name: string) =>
    keep.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === one));
  const kept = Object.entries(shared).filter(
    ([name, value]) => machine[name] === value || (!isNone && isKept(name)),
  );
  return { ...Object.fromEntries(kept), ...attributes };
}

/** The attributes that both have, with the same values. */
export function intersect(one: Attributes, other: Attributes): Attributes {
  // V8 gives each object that is created from entries a separate hidden class of 400 bytes.
  if (one === other) return one;
  const entries = Object.entries(one);
  const shared = entries.filter(([name, value]) => other[name] === value);
  return shared.length === entries.length ? one : Object.fromEntries(shared);
}

/** The first of several attributes, `a|b`, that is present. */
function findFirst(
  attributes: Attributes,
  names: string,
  common: Attributes,
): readonly [string, AttributeValue] | undefined {
  for (const name of names.split('|')) {
    const value = findAttribute(attributes, name);
    if (value !== undefined && value !== common[name]) return [name, value];
  }
  return undefined;
}

/** The path of the cgroup that a workload is in. */
export function findCgroupPath(attributes: Attributes): string | undefined {
  const path = findAttribute(attributes, ATTR_LINUX_CGROUP_PATH);
  return path === undefined ? undefined : String(path);
}

function findAttribute(attributes: Attributes, name: string): AttributeValue | undefined {
  const value = attributes[name] ?? derive(attributes, name);
  if (value === '') return undefined;
  // A base name has no slash; the names of kernel threads have their CPU after one, as in `kworker/0:1`.
  const isProgram = name === ATTR_PROCESS_EXECUTABLE_NAME && typeof value === 'string';
  return isProgram ? value.replace(/(?<=.)\/.*/, '') : value;
}

/** The path in a line of /proc/PID/cgroup, `0::/system.slice`, or in a bare path. */
function derive(attributes: Attributes, name: string): string | undefined {
  const line = name === ATTR_LINUX_CGROUP_PATH ? attributes[ATTR_PROCESS_LINUX_CGROUP] : undefined;
  return typeof line === 'string' ? line.replace(/^\d+:[^:]*:/, '') : undefined;
}
