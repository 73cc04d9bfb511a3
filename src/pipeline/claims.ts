import { reportConflicts, type Claims, type Conflict, type Owners } from '../component/claims.js';
import type { ConsumingComponent, ReceiverFactory } from '../component/component.js';
import { passHistograms, type Consumer } from '../component/consumer.js';
import { DomainTree } from '../component/domain-tree.js';
import type { Log } from '../component/log.js';
import type { ComponentConfig } from '../config/components.js';
import type { ServiceConfig } from '../config/service.js';
import { OnePublisher } from '../model/one-publisher.js';
import { createPlans, findOrAdd } from '../model/plan.js';
import { setPublisher, type AnySeries } from '../model/series.js';

/** The claims of all receivers of a collector, across pipelines. */
export class ClaimRegistry implements Owners {
  readonly #ownerByKey = new Map<string, string>();
  readonly #tree = new DomainTree((key) => this.ownerOf(`energy/${key}`));
  #waiting: (() => void)[] = [];
  readonly #ranks = new Map<string, number>();
  /** Claims that receivers were refused, for when they become free. */
  readonly #refused = new Map<string, Set<string>>();
  readonly #dispossessed = new Set<string>();
  #isComplete = false;
  #version = 0;

  get isComplete(): boolean {
    return this.#isComplete;
  }

  get version(): number {
    return this.#version;
  }

  /** Every receiver has started. */
  complete(): void {
    this.#isComplete = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const notify of waiting) notify();
  }

  /** @param notify called once every receiver has started; immediately if they have */
  whenComplete(notify: () => void): void {
    if (this.#isComplete) notify();
    else this.#waiting.push(notify);
  }

  /** @returns the `hw.id` of the nearest meter that contains the given one; undefined: none does */
  parentOf(id: string): string | undefined {
    return this.#tree.parentOf(id);
  }

  /** New receivers are about to start. Until `complete`, they take their claims from receivers that yield to them. */
  reopen(): void {
    this.#isComplete = false;
  }

  /**
   * The claims of one receiver.
   * @param rank receivers with a lower rank start first, so that this one yields to them
   */
  claimsFor(receiverId: string, rank = 0): Claims {
    this.#ranks.set(receiverId, rank);
    return {
      claim: (key) => this.#claim(key, receiverId),
      place: (place) => this.#tree.place(receiverId, place),
    };
  }

  #claim(key: string, receiverId: string): string | undefined {
    const owner = this.ownerOf(key, receiverId);
    if (owner === undefined) this.#set(key, receiverId);
    else if (this.#yields(owner, receiverId)) {
      this.#takeFrom(owner, key);
      return this.#claim(key, receiverId);
    } else findOrAdd(this.#refused, receiverId, () => new Set()).add(key);
    return owner;
  }

  #yields(owner: string, receiverId: string): boolean {
    return !this.#isComplete && (this.#ranks.get(owner) ?? 0) > (this.#ranks.get(receiverId) ?? 0);
  }

  #takeFrom(owner: string, key: string): void {
    for (const [taken, other] of this.#ownerByKey)
      if (other === owner && overlap(taken, key)) this.#ownerByKey.delete(taken);
    this.#dispossessed.add(owner);
  }

  /**
   * Whether a claim of the receiver was taken from it, or one that it was refused is free: then it must be
   * restarted.
   */
  hasChanged(receiverId: string): boolean {
    const refused = this.#refused.get(receiverId) ?? [];
    return (
      this.#dispossessed.has(receiverId) ||
      [...refused].some((key) => this.ownerOf(key, receiverId) === undefined)
    );
  }

  /** The receiver has stopped: its claims are free. */
  release(receiverId: string): void {
    this.#ranks.delete(receiverId);
    this.#refused.delete(receiverId);
    this.#dispossessed.delete(receiverId);
    for (const [key, owner] of this.#ownerByKey) if (owner === receiverId) this.#ownerByKey.delete(key);
    this.#tree.release(receiverId);
    this.#version += 1;
  }

  /** @param receiverId a receiver to ignore */
  ownerOf(key: string, receiverId?: string): string | undefined {
    for (const [taken, owner] of this.#ownerByKey) {
      if (owner !== receiverId && overlap(taken, key)) return owner;
    }
    return undefined;
  }

  #set(key: string, receiverId: string): void {
    if (this.#ownerByKey.has(key)) return;
    this.#ownerByKey.set(key, receiverId);
    this.#version += 1;
  }
}

function overlap(one: string, other: string): boolean {
  return `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`);
}

/** A receiver and the exporters that its tables reach. */
export interface RoutedReceiver {
  readonly id: string;
  readonly factory: Pick<ReceiverFactory, 'metrics'>;
  readonly exporters: readonly ConsumingComponent[];
}

/** Receivers that reach a common exporter. */
interface Group {
  readonly receivers: readonly RoutedReceiver[];
  readonly publishers: OnePublisher;
}

/**
 * Gives each series one publisher among the receivers that reach a common exporter. Costs nothing for metrics
 * that only one of them can publish.
 */
export class SeriesClaims {
  readonly #report: (series: AnySeries, owner: string) => void;
  #groups: readonly Group[] = [];

  /** @param logFor returns the log of a receiver */
  constructor(logFor: (receiverId: string) => Log) {
    this.#report = reportConflicts(logFor);
  }

  /** Receivers or their exporters have changed. Publishers of series keep them. */
  update(receivers: readonly RoutedReceiver[]): void {
    const former = new Set(this.#groups);
    this.#groups = groupByExporter(receivers).map((group) => {
      const isIn = ({ id }: RoutedReceiver) => group.some((one) => one.id === id);
      const same = [...former].find((one) => one.receivers.some(isIn));
      if (same === undefined) return { receivers: group, publishers: new OnePublisher(this.#report) };
      former.delete(same);
      for (const gone of same.receivers) if (!isIn(gone)) same.publishers.release(gone.id);
      return { receivers: group, publishers: same.publishers };
    });
  }

  /** The entry of a receiver's tables into the pipelines: leaves out the series that another receiver publishes. */
  entryFor(receiverId: string, next: Consumer): Consumer {
    const group = this.#groupOf(receiverId);
    const contests = group && findContested(receiverId, group.receivers);
    if (group === undefined || contests === undefined) return next;
    const claim = createPlans((series: AnySeries) => {
      if (contests(series.metric.name)) setPublisher(series, receiverId);
      return series;
    });
    const claimAll = createPlans((series: readonly AnySeries[]) => series.map(claim));
    return {
      consume(table) {
        claimAll(table.series);
        table.ended?.forEach(claim);
        const own = group.publishers.apply(table);
        return own === undefined || next.consume(own);
      },
      consumeHistograms(table) {
        claimAll(table.series);
        table.ended?.forEach(claim);
        const own = group.publishers.applyHistograms(table);
        return own === undefined || passHistograms(next, own);
      },
    };
  }

  /** The receiver has stopped: others may publish its series. */
  release(receiverId: string): void {
    this.#groupOf(receiverId)?.publishers.release(receiverId);
  }

  #groupOf(receiverId: string): Group | undefined {
    return this.#groups.find(({ receivers }) => receivers.some(({ id }) => id === receiverId));
  }
}

/** Receivers that reach a common exporter, directly or through a third receiver's exporters, in the given order. */
function groupByExporter<R extends { readonly exporters: readonly unknown[] }>(
  receivers: readonly R[],
): readonly (readonly R[])[] {
  return receivers.reduce<readonly (readonly R[])[]>((groups, receiver) => {
    const met = groups.filter((group) =>
      group.some(({ exporters }) => exporters.some((one) => receiver.exporters.includes(one))),
    );
    return [...groups.filter((group) => !met.includes(group)), [...met.flat(), receiver]];
  }, []);
}

/** @returns whether another receiver may publish a metric; undefined if that is the case for none */
function findContested(
  receiverId: string,
  receivers: readonly RoutedReceiver[],
): ((metricName: string) => boolean) | undefined {
  const metricsOf = (isOwn: boolean) =>
    receivers.filter(({ id }) => (id === receiverId) === isOwn).map(({ factory }) => factory.metrics);
  const [own, others] = [metricsOf(true), metricsOf(false)];
  if (others.length === 0) return undefined;
  // Receivers that declare no metrics publish those of their sources.
  if (others.some((metrics) => metrics.length === 0)) return () => true;
  const names = new Set(others.flatMap((metrics) => metrics.map(({ name }) => name)));
  const isUnknown = own.some((metrics) => metrics.length === 0);
  const canMeet = isUnknown || own.some((metrics) => metrics.some(({ name }) => names.has(name)));
  return canMeet ? (name) => names.has(name) : undefined;
}

type Receiver = ComponentConfig<'receiver'>;

/**
 * Pairs of receivers that would publish the same series to the same exporter, as far as their settings show it:
 * each pair once, in configuration order.
 */
export function findExpectedConflicts({ receivers, pipelines }: ServiceConfig): readonly Conflict[] {
  const routed = [...receivers.values()].map((receiver) => ({
    receiver,
    exporters: pipelines.filter((one) => one.receivers.includes(receiver.id)).flatMap((one) => one.exporters),
  }));
  return groupByExporter(routed).flatMap((group) =>
    group.flatMap(({ receiver }, i) =>
      group.slice(0, i).flatMap(({ receiver: earlier }) => findConflict(receiver, earlier) ?? []),
    ),
  );
}

function findConflict(receiver: Receiver, earlier: Receiver): Conflict | undefined {
  if (standsIn(receiver, earlier) || standsIn(earlier, receiver)) return undefined;
  const taken = new Set(listSeries(earlier).map(({ key }) => key));
  const found = listSeries(receiver).find(({ key }) => taken.has(key));
  return found && { receiver: receiver.id, owner: earlier.id, metric: found.metric };
}

/** Then only one of the two is running. */
function standsIn(one: Receiver, other: Receiver): boolean {
  return one.keys.fallback_for.includes(other.id);
}

function listSeries({ factory, settings }: Receiver) {
  const series = factory.expectedSeries?.(settings) ?? [];
  return series.map(({ metric, scope }) => ({ metric, key: `${metric} ${scope}` }));
}
