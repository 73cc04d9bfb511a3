import { Limit, type Ranked } from '../model/limit.js';
import { ATTR_PROCESS_PID } from '../model/semantic-conventions.js';
import type { Attributes, Metric, Resource } from '../model/series.js';
import {
  describeGroup,
  firstAttribute,
  identifyGroup,
  intersect,
  type GroupIdentity,
} from './group-identity.js';
import type { Account } from './publication.js';
import type { ViewDefinition } from './views.js';

/** Several workloads as one: the energy of all of them is booked on its accounts. */
export class Group implements Ranked, GroupIdentity {
  readonly key: string;
  readonly attributes: Attributes;
  readonly isNone: boolean;
  /** The attributes that its workloads have in common, until something of it is published. */
  shared: Attributes;
  /** The resource of its published series, created with its first account. */
  resource: Resource | undefined;
  /** One per ledger, at the ledger's index, created when it first books energy; undefined: there was none. */
  accounts: (Account | undefined)[] | undefined;
  /** When the last account at each index ended, if one did: nanoseconds. */
  closedAt: (number | undefined)[] | undefined;
  /** Number of workloads in it. */
  members = 0;
  /** The start of the first of them. */
  bornAt = Infinity;
  /** The instant since which it is empty, if it is. V8 would keep Infinity as an object for each group. */
  emptySince: number | undefined;
  /** Whether it has separate series; otherwise its energy is booked on its view's `other`. */
  isShown: boolean;
  /** Undefined: all are 0, as of most processes of a large machine. In the group, V8 would keep an object for each. */
  #use: GroupUse | undefined;

  constructor({ key, attributes, isNone }: GroupIdentity, shared: Attributes, isShown: boolean) {
    this.key = key;
    this.attributes = attributes;
    this.isNone = isNone;
    this.shared = shared;
    this.isShown = isShown;
  }

  get weight(): number {
    return this.#use?.weight ?? 0;
  }

  set weight(weight: number) {
    (this.#use ??= { weight: 0, chargedNj: 0 }).weight = weight;
  }

  /** Nanojoules that it was charged, of all hardware. */
  get chargedNj(): number {
    return this.#use?.chargedNj ?? 0;
  }

  charge(energyNj: number): void {
    (this.#use ??= { weight: 0, chargedNj: 0 }).chargedNj += energyNj;
  }
}

/** What a group has used. */
interface GroupUse {
  weight: number;
  chargedNj: number;
}

/** Groups are ranked by CPU and GPU time, the weights by which energy is shared. */
const byTime = { halfLifeNs: 30e9, margin: 50e6 };

interface ViewOptions {
  /** Attributes that every resource has unless it has others of these names. */
  readonly common?: Attributes;
  /** Processes that are always shown. */
  readonly shownPids?: readonly number[];
  /** Energy that a group must have been charged before it has separate series. */
  readonly minNj?: number;
}

/** A partition of the workloads: each belongs to exactly one group, so that the groups add up to all. */
export class View {
  /** The known attributes of the machine's resource. */
  machine: Attributes = {};
  readonly #definition: ViewDefinition;
  readonly #common: Attributes;
  readonly #shownPids: ReadonlySet<unknown>;
  /** By key: those that workloads may join. */
  readonly #groups = new Map<string, Group>();
  /** In the order in which they became empty. */
  readonly #empty = new Set<Group>();
  readonly #limit: Limit<Group> | undefined;
  readonly #minNj: number;
  /** Groups that got separate series without a limit, by their energy. */
  #promotions = 0;
  #other: Group | undefined;
  /** Groups that lost their separate series and are still to be closed. */
  #hidden: Group[] = [];

  /**
   * @param places maximum number of groups with separate series at a time, the others are aggregated; 0: every
   * group has separate series
   */
  constructor(
    definition: ViewDefinition,
    places: number,
    { common = {}, shownPids = [], minNj = 0 }: ViewOptions = {},
  ) {
    this.#definition = definition;
    this.#minNj = minNj;
    this.#common = common;
    // The collector's usage is always shown.
    this.#shownPids = new Set([process.pid, ...shownPids]);
    this.#limit = places > 0 ? new Limit<Group>({ ...byTime, places }) : undefined;
  }

  get metric(): Metric {
    return this.#definition.metric;
  }

  /** Whether each workload is its own group. */
  get isOfProcesses(): boolean {
    return this.#definition.groupBy.length === 0;
  }

  get isLimited(): boolean {
    return this.#limit !== undefined || this.#minNj > 0;
  }

  /** How often a group got or lost its separate series. */
  get changes(): number {
    return this.#promotions + (this.#limit?.changes ?? 0);
  }

  /** The group of a new workload, which exists since `bornAt`. A process must have left before an equal one joins. */
  join(workload: Resource, bornAt: number): Group {
    const identity = identifyGroup(this.#definition, workload, this.#common);
    const { attributes } = workload;
    const isAlwaysShown = this.isOfProcesses && this.#shownPids.has(attributes[ATTR_PROCESS_PID]);
    // The group of workloads without the attributes adds at most one series.
    const isShown = !this.isLimited || identity.isNone || isAlwaysShown;
    const group = this.#groups.get(identity.key) ?? new Group(identity, attributes, isShown);
    if (this.#isAlone(group)) this.#groups.delete(group.key);
    else this.#groups.set(group.key, group);
    if (group.resource === undefined) group.shared = intersect(group.shared, attributes);
    this.#other ??= createOther(this.#definition, workload);
    this.#empty.delete(group);
    group.members += 1;
    group.bornAt = Math.min(group.bornAt, bornAt);
    return group;
  }

  /** A workload of this group has ended permanently. */
  leave(group: Group, at: number): void {
    group.members -= 1;
    if (group.members > 0) return;
    group.emptySince = at;
    this.#empty.add(group);
    this.#groups.set(group.key, group);
  }

  /** Whether it is that of a process: as long as that lives, no other workload joins it. */
  #isAlone({ attributes }: Group): boolean {
    return this.isOfProcesses && ATTR_PROCESS_PID in attributes;
  }

  /** The resource of a group's published series. */
  resourceOf(group: Group): Resource {
    return (group.resource ??= {
      attributes: describeGroup(this.#definition, group, group.shared, this.machine),
    });
  }

  /** The group on whose accounts energy that a group is charged is booked. */
  route(group: Group, energyNj: number): Group {
    group.charge(energyNj);
    return group.isShown ? group : (this.#other ?? group);
  }

  /** Advances to the boundary that the next weights belong to. */
  advance(at: number): void {
    this.#limit?.advance(at);
  }

  /** A group used CPU or GPU time since the previous boundary. */
  weigh(group: Group, usedNs: number): void {
    if (group.chargedNj < this.#minNj) return;
    if (this.#limit) this.#limit.weigh(group, usedNs);
    else if (!group.isShown) this.#show(group);
  }

  #show(group: Group): void {
    group.isShown = true;
    this.#promotions += 1;
  }

  /** Decides which groups have separate series from this boundary on. */
  rank(at: number): void {
    const hidden = this.#limit?.rank(at) ?? [];
    if (hidden.length > 0) this.#hidden.push(...hidden);
  }

  /** Removes and returns the groups that lost their separate series. */
  takeHidden(): readonly Group[] {
    if (this.#hidden.length === 0) return this.#hidden;
    const hidden = this.#hidden;
    this.#hidden = [];
    return hidden;
  }

  /** Removes and returns the groups that have been empty for longer than the grace period. */
  takeExpired(now: number): readonly Group[] {
    const expired: Group[] = [];
    for (const group of this.#empty) {
      if (now - (group.emptySince ?? now) < this.#definition.graceNs) break;
      this.#empty.delete(group);
      this.#groups.delete(group.key);
      this.#limit?.remove(group);
      expired.push(group);
    }
    return expired;
  }
}

/** The groups without separate series, aggregated. It has no pid, unlike every process. */
function createOther(definition: ViewDefinition, { attributes }: Resource): Group {
  const identity = { key: 'other', attributes: { [firstAttribute(definition)]: 'other' }, isNone: true };
  const other = new Group(identity, attributes, true);
  other.bornAt = -Infinity;
  return other;
}
