import { resourceKey } from '../../src/model/key.js';
import type { Attributes, Metric, Resource } from '../../src/model/series.js';
import type { Account } from './publication.js';
import { cgroupEnergy, processEnergy } from './metrics.js';

/** Some consumers as one: the energy of all consumers in it is booked on its accounts. */
export class Group {
  readonly key: string;
  readonly resource: Resource;
  /** One per ledger, at the ledger's index, made when it first books energy. */
  readonly accounts: (Account | undefined)[] = [];
  /** How many consumers are in it. */
  members = 0;
  /** Since when the first of them is known to live. */
  bornAt = Infinity;
  /** Since when nobody is in it. */
  emptySince = Infinity;

  constructor(key: string, resource: Resource) {
    this.key = key;
    this.resource = resource;
  }
}

/** How consumers are grouped. */
export interface Grouping {
  readonly metric: Metric;
  /** How long a group without consumers is kept, so that those who come and go do not make new series. */
  readonly graceNs: number;
  keyOf(consumer: Resource): string;
  resourceOf(consumer: Resource, key: string): Resource;
}

const byProcess: Grouping = {
  metric: processEnergy,
  graceNs: 0,
  keyOf: (consumer) => resourceKey(consumer),
  resourceOf: (consumer) => consumer,
};

const byCgroup: Grouping = {
  metric: cgroupEnergy,
  graceNs: 60e9,
  keyOf: ({ attributes }) => parseCgroupPath(attributes['process.linux.cgroup']),
  resourceOf: ({ attributes }, path) => ({
    attributes: { ...dropProcess(attributes), 'linux.cgroup.path': path },
  }),
};

const groupings = new Map([
  ['process', byProcess],
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
function parseCgroupPath(cgroup: unknown): string {
  if (typeof cgroup !== 'string' || cgroup === '') return 'none';
  return cgroup.replace(/^\d+:[^:]*:/, '');
}

function dropProcess(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !name.startsWith('process.')));
}

/** A partition of the consumers: each belongs to exactly one group, so that the groups add up to all. */
export class View {
  readonly metric: Metric;
  readonly #grouping: Grouping;
  readonly #groups = new Map<string, Group>();
  readonly #empty = new Set<Group>();

  constructor(grouping: Grouping) {
    this.metric = grouping.metric;
    this.#grouping = grouping;
  }

  /** The group of a consumer that has just come and lives since `bornAt`. */
  join(consumer: Resource, bornAt: number): Group {
    const key = this.#grouping.keyOf(consumer);
    const group = this.#groups.get(key) ?? new Group(key, this.#grouping.resourceOf(consumer, key));
    this.#groups.set(key, group);
    this.#empty.delete(group);
    group.members += 1;
    group.bornAt = Math.min(group.bornAt, bornAt);
    return group;
  }

  /** A consumer of this group has gone for good. */
  leave(group: Group, at: number): void {
    group.members -= 1;
    if (group.members > 0) return;
    group.emptySince = at;
    this.#empty.add(group);
  }

  /** Takes out the groups that have been empty for long enough. */
  takeExpired(now: number): readonly Group[] {
    if (this.#empty.size === 0) return [];
    const expired = [...this.#empty].filter((group) => now - group.emptySince >= this.#grouping.graceNs);
    for (const group of expired) {
      this.#empty.delete(group);
      this.#groups.delete(group.key);
    }
    return expired;
  }
}
