import { findOrAdd } from '../../src/model/plan.js';
import { resourceKey, type Attributes, type Metric, type Resource } from '../../src/model/series.js';
import { processEnergy } from '../../src/model/shared-metrics.js';
import { Limit, type Ranked } from './limit.js';
import type { Account } from './publication.js';
import {
  ATTR_LINUX_CGROUP_PATH,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_LINUX_CGROUP,
} from '../../src/model/semantic-conventions.js';

export const programEnergy: Metric = {
  name: 'program.energy',
  unit: 'J',
  description: 'Energy attributed to the processes of a program within its cgroup',
  kind: 'counter',
  valueType: 'double',
};

export const cgroupEnergy: Metric = {
  name: 'linux.cgroup.energy',
  unit: 'J',
  description: 'Energy attributed to the processes of a cgroup, without those of the cgroups below it',
  kind: 'counter',
  valueType: 'double',
};

/** Some workloads as one: the energy of all workloads in it is booked on its accounts. */
export class Group implements Ranked {
  readonly key: string;
  /** Of what is published of it, made when its first account is opened. */
  resource: Resource | undefined;
  /** Makes its resource, given what is known of the machine. */
  readonly createResource: (machine: Attributes) => Resource;
  /** One per ledger, at the ledger's index, made when it first books energy. */
  readonly accounts: (Account | undefined)[] = [];
  /** When the last account at each index ended, where one did: nanoseconds. */
  readonly closedAt: (number | undefined)[] = [];
  /** How many workloads are in it. */
  members = 0;
  /** Since when the first of them is known to live. */
  bornAt = Infinity;
  /** Since when it is empty. */
  emptySince = Infinity;
  /** Whether it has series of its own; otherwise its energy is booked on its view's `other`. */
  isShown: boolean;
  weight = 0;

  constructor(key: string, createResource: (machine: Attributes) => Resource, isShown: boolean) {
    this.key = key;
    this.createResource = createResource;
    this.isShown = isShown;
  }
}

/** How workloads are grouped. */
export interface Grouping {
  readonly metric: Metric;
  /** How long a group without workloads is kept, so that workloads that come and go do not make new series. */
  readonly graceNs: number;
  keyOf(workload: Resource): string;
  /**
   * The resource of the group of a workload. Where a group can have several, it has only what defines the group and what
   * is the machine's: everything else may differ between them.
   */
  resourceOf(workload: Resource, machine: Attributes): Resource;
}

const byProcess: Grouping = {
  metric: processEnergy,
  graceNs: 0,
  keyOf: (workload) => resourceKey(workload),
  resourceOf: (workload) => workload,
};

const byProgram: Grouping = {
  metric: programEnergy,
  graceNs: 60e9,
  keyOf: ({ attributes }) => `${parseProgram(attributes)}\n${parseCgroupPath(attributes)}`,
  resourceOf: ({ attributes }, machine) => ({
    attributes: {
      ...keepCommon(attributes, machine),
      [ATTR_PROCESS_EXECUTABLE_NAME]: parseProgram(attributes),
      [ATTR_LINUX_CGROUP_PATH]: parseCgroupPath(attributes),
    },
  }),
};

const byCgroup: Grouping = {
  metric: cgroupEnergy,
  graceNs: 60e9,
  keyOf: ({ attributes }) => parseCgroupPath(attributes),
  resourceOf: ({ attributes }, machine) => ({
    attributes: { ...keepCommon(attributes, machine), [ATTR_LINUX_CGROUP_PATH]: parseCgroupPath(attributes) },
  }),
};

const groupings = new Map([
  ['process', byProcess],
  ['program', byProgram],
  ['cgroup', byCgroup],
]);

/** The views that a configuration can name. */
export const viewNames: readonly string[] = [...groupings.keys()];

/** @throws Error when there is no such view */
export function findGrouping(name: string): Grouping {
  const grouping = groupings.get(name);
  if (!grouping)
    throw new Error(`Cannot find the view: expected one of ${viewNames.join(', ')}, found "${name}"`);
  return grouping;
}

/** The path in a line of /proc/PID/cgroup, `0::/system.slice`, or in a bare path. */
function parseCgroupPath({ [ATTR_PROCESS_LINUX_CGROUP]: cgroup }: Attributes): string {
  if (typeof cgroup !== 'string' || cgroup === '') return 'none';
  return cgroup.replace(/^\d+:[^:]*:/, '');
}

/** A base name has no slash; the names of kernel threads go on with their CPU after one, as `kworker/0:1`. */
function parseProgram({ [ATTR_PROCESS_EXECUTABLE_NAME]: name }: Attributes): string {
  if (typeof name !== 'string' || name === '') return 'none';
  return name.replace(/(?<=.)\/.*/, '');
}

/** What a workload has in common with its machine, and so with all others. */
function keepCommon(workload: Attributes, machine: Attributes): Attributes {
  return Object.fromEntries(Object.entries(workload).filter(([name, value]) => machine[name] === value));
}

/** A partition of the workloads: each belongs to exactly one group, so that the groups add up to all. */
export class View {
  readonly metric: Metric;
  /** What is known of the machine: the attributes of its resource. */
  machine: Attributes = {};
  readonly #grouping: Grouping;
  readonly #groups = new Map<string, Group>();
  readonly #empty = new Set<Group>();
  readonly #limit: Limit<Group> | undefined;
  #other: Group | undefined;
  /** Groups that lost their own series and are still to be closed. */
  #hidden: Group[] = [];

  /** @param places how many groups have series of their own at a time, the others together; 0: every group */
  constructor(grouping: Grouping, places: number) {
    this.metric = grouping.metric;
    this.#grouping = grouping;
    this.#limit = places > 0 ? new Limit<Group>(places) : undefined;
  }

  get isLimited(): boolean {
    return this.#limit !== undefined;
  }

  /** How often a group got series of its own or lost them. */
  get changes(): number {
    return this.#limit?.changes ?? 0;
  }

  /** The group of a workload that has just come and lives since `bornAt`. */
  join(workload: Resource, bornAt: number): Group {
    const key = this.#grouping.keyOf(workload);
    const createResource = (machine: Attributes) => this.#grouping.resourceOf(workload, machine);
    const group = findOrAdd(this.#groups, key, () => new Group(key, createResource, !this.isLimited));
    this.#other ??= createOther(workload);
    this.#empty.delete(group);
    group.members += 1;
    group.bornAt = Math.min(group.bornAt, bornAt);
    return group;
  }

  /** A workload of this group has ended for good. */
  leave(group: Group, at: number): void {
    group.members -= 1;
    if (group.members > 0) return;
    group.emptySince = at;
    this.#empty.add(group);
  }

  /** The resource of what is published of a group. */
  resourceOf(group: Group): Resource {
    return (group.resource ??= group.createResource(this.machine));
  }

  /** Where the energy of a group is booked. */
  route(group: Group): Group {
    return group.isShown ? group : (this.#other ?? group);
  }

  /** Time passes up to the boundary that the next weights belong to. */
  advance(at: number): void {
    this.#limit?.advance(at);
  }

  /** A group used CPU or GPU time since the boundary before. */
  weigh(group: Group, usedNs: number): void {
    this.#limit?.weigh(group, usedNs);
  }

  /** Decides which groups have series of their own from this boundary on. */
  rank(at: number): void {
    const hidden = this.#limit?.rank(at) ?? [];
    if (hidden.length > 0) this.#hidden.push(...hidden);
  }

  /** Takes out the groups that lost their own series. */
  takeHidden(): readonly Group[] {
    if (this.#hidden.length === 0) return this.#hidden;
    const hidden = this.#hidden;
    this.#hidden = [];
    return hidden;
  }

  /** Takes out the groups that have been empty for long enough. */
  takeExpired(now: number): readonly Group[] {
    if (this.#empty.size === 0) return [];
    const expired = [...this.#empty].filter((group) => now - group.emptySince >= this.#grouping.graceNs);
    for (const group of expired) {
      this.#empty.delete(group);
      this.#groups.delete(group.key);
      this.#limit?.remove(group);
    }
    return expired;
  }
}

/** The groups without series of their own, as one. It has no pid, which every process has. */
function createOther({ attributes }: Resource): Group {
  const createResource = (machine: Attributes) => ({
    attributes: { ...keepCommon(attributes, machine), [ATTR_PROCESS_EXECUTABLE_NAME]: 'other' },
  });
  const other = new Group('other', createResource, true);
  other.bornAt = -Infinity;
  return other;
}
