import { findOrAdd } from '../../src/model/find-or-add.js';
import { resourceKey } from '../../src/model/key.js';
import type { Attributes, Metric, Resource } from '../../src/model/series.js';
import type { Account } from './publication.js';
import { Limit } from './limit.js';
import { processEnergy } from '../../src/model/shared-metrics.js';
import { cgroupEnergy, programEnergy } from './metrics.js';

/** Some consumers as one: the energy of all consumers in it is booked on its accounts. */
export class Group {
  readonly key: string;
  /** Of what is published of it, made when its first account is opened. */
  resource: Resource | undefined;
  /** Makes its resource, given what is known of the machine. */
  readonly createResource: (machine: Attributes) => Resource;
  /** One per ledger, at the ledger's index, made when it first books energy. */
  readonly accounts: (Account | undefined)[] = [];
  /** When the last account at each index ended, where one did: nanoseconds. */
  readonly closedAt: (number | undefined)[] = [];
  /** How many consumers are in it. */
  members = 0;
  /** Since when the first of them is known to live. */
  bornAt = Infinity;
  /** Since when it is empty. */
  emptySince = Infinity;
  /** Whether it has series of its own; otherwise its energy is booked on its view's `other`. */
  isShown: boolean;
  /** CPU time that it used, the recent more than the old, on the scale of its view's limit. */
  weight = 0;

  constructor(key: string, createResource: (machine: Attributes) => Resource, isShown: boolean) {
    this.key = key;
    this.createResource = createResource;
    this.isShown = isShown;
  }
}

/** How consumers are grouped. */
export interface Grouping {
  readonly metric: Metric;
  /** How long a group without consumers is kept, so that those who come and go do not make new series. */
  readonly graceNs: number;
  keyOf(consumer: Resource): string;
  /**
   * The resource of the group of a consumer. Where a group can have several, it has only what makes the group and what
   * is the machine's: everything else may differ between them.
   */
  resourceOf(consumer: Resource, machine: Attributes): Resource;
}

const byProcess: Grouping = {
  metric: processEnergy,
  graceNs: 0,
  keyOf: (consumer) => resourceKey(consumer),
  resourceOf: (consumer) => consumer,
};

const byProgram: Grouping = {
  metric: programEnergy,
  graceNs: 60e9,
  keyOf: ({ attributes }) => `${parseProgram(attributes)}\n${parseCgroupPath(attributes)}`,
  resourceOf: ({ attributes }, machine) => ({
    attributes: {
      ...keepCommon(attributes, machine),
      'process.executable.name': parseProgram(attributes),
      'linux.cgroup.path': parseCgroupPath(attributes),
    },
  }),
};

const byCgroup: Grouping = {
  metric: cgroupEnergy,
  graceNs: 60e9,
  keyOf: ({ attributes }) => parseCgroupPath(attributes),
  resourceOf: ({ attributes }, machine) => ({
    attributes: { ...keepCommon(attributes, machine), 'linux.cgroup.path': parseCgroupPath(attributes) },
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
  if (!grouping) throw new Error(`Cannot attribute to "${name}": wanted one of ${viewNames.join(', ')}`);
  return grouping;
}

/** The path in a line of /proc/PID/cgroup, `0::/system.slice`, or in a bare path. */
function parseCgroupPath({ 'process.linux.cgroup': cgroup }: Attributes): string {
  if (typeof cgroup !== 'string' || cgroup === '') return 'none';
  return cgroup.replace(/^\d+:[^:]*:/, '');
}

/** A base name has no slash; the names of kernel threads go on with their CPU after one, as `kworker/0:1`. */
function parseProgram({ 'process.executable.name': name }: Attributes): string {
  if (typeof name !== 'string' || name === '') return 'none';
  return name.replace(/(?<=.)\/.*/, '');
}

/** What a consumer has in common with its machine, and so with all others. */
function keepCommon(consumer: Attributes, machine: Attributes): Attributes {
  return Object.fromEntries(Object.entries(consumer).filter(([name, value]) => machine[name] === value));
}

/** A partition of the consumers: each belongs to exactly one group, so that the groups add up to all. */
export class View {
  readonly metric: Metric;
  /** What is known of the machine: the attributes of its resource. */
  machine: Attributes = {};
  readonly #grouping: Grouping;
  readonly #groups = new Map<string, Group>();
  readonly #empty = new Set<Group>();
  readonly #limit: Limit | undefined;
  #other: Group | undefined;
  /** Groups that lost their own series and are still to be closed. */
  #hidden: Group[] = [];

  /** @param most groups with series of their own at a time, the others together; 0: every group */
  constructor(grouping: Grouping, most: number) {
    this.metric = grouping.metric;
    this.#grouping = grouping;
    this.#limit = most > 0 ? new Limit(most) : undefined;
  }

  get isLimited(): boolean {
    return this.#limit !== undefined;
  }

  /** How often a group got series of its own or lost them. */
  get changes(): number {
    return this.#limit?.changes ?? 0;
  }

  /** The group of a consumer that has just come and lives since `bornAt`. */
  join(consumer: Resource, bornAt: number): Group {
    const key = this.#grouping.keyOf(consumer);
    const createResource = (machine: Attributes) => this.#grouping.resourceOf(consumer, machine);
    const group = findOrAdd(this.#groups, key, () => new Group(key, createResource, !this.isLimited));
    this.#other ??= createOther(consumer);
    this.#empty.delete(group);
    group.members += 1;
    group.bornAt = Math.min(group.bornAt, bornAt);
    return group;
  }

  /** A consumer of this group has ended for good. */
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

  /** A group used CPU time since the boundary before. */
  weigh(group: Group, cpuNs: number): void {
    this.#limit?.weigh(group, cpuNs);
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
    attributes: { ...keepCommon(attributes, machine), 'process.executable.name': 'other' },
  });
  const other = new Group('other', createResource, true);
  other.bornAt = -Infinity;
  return other;
}
