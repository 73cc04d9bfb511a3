import { resourceKey } from '../../src/model/key.js';
import type { Resource, Series } from '../../src/model/series.js';
import { BusyCarry } from './busy-carry.js';
import type { CpuCount } from './cpu-count.js';
import { Consumer, UsageSource } from './consumer.js';
import { createGap, type Usage } from './usage.js';
import type { View } from './views.js';

export interface ConsumersOptions {
  /** Unix time in nanoseconds of time 0. */
  readonly epoch: bigint;
  /** Whether those who used nothing are in every usage, too. */
  readonly hasIdle: boolean;
  readonly cpuCount: CpuCount;
}

/** Everybody who uses CPU time, and what they used between two boundaries. Times are nanoseconds. */
export class Consumers {
  readonly #views: readonly View[];
  /** The views that have a limit, and where their groups are in those of a consumer. */
  readonly #limited: readonly { readonly view: View; readonly index: number }[];
  readonly #options: ConsumersOptions;
  readonly #sources = new Map<Series, UsageSource>();
  readonly #byKey = new Map<string, Consumer>();
  /** Those who live, and those who have ended since the last boundary, in the order of their keys. */
  #active: Consumer[] = [];
  /** Those who ended earlier, in the order of the boundaries that their last usage belongs to. */
  readonly #endings = new Map<Consumer, number>();
  #boundary = NaN;
  readonly #carry: BusyCarry;

  constructor(views: readonly View[], options: ConsumersOptions) {
    this.#views = views;
    this.#limited = [...views.entries()].flatMap(([index, view]) =>
      view.isLimited ? [{ view, index }] : [],
    );
    this.#options = options;
    this.#carry = new BusyCarry(options.cpuCount);
  }

  /** What they used beyond the busy time of the machine and its rounding, of all boundaries together. */
  get overlapNs(): number {
    return this.#carry.overlapNs;
  }

  /** What takes the readings of a CPU time counter. */
  sourceOf(series: Series): UsageSource {
    const known = this.#sources.get(series);
    if (known) return known;
    const source = new UsageSource(this.#consumerOf(series));
    source.consumer.sources += 1;
    this.#sources.set(series, source);
    return source;
  }

  /** The consumer of this resource; undefined: none is known. */
  find(resource: Resource): Consumer | undefined {
    return this.#byKey.get(resourceKey(resource));
  }

  /** A counter has no further reading. A consumer without counters ends, with its last usage in the next boundary's. */
  end(series: Series, at: number): void {
    const source = this.#sources.get(series);
    if (source === undefined) return;
    this.#sources.delete(series);
    source.consumer.sources -= 1;
    if (source.consumer.sources === 0) source.consumer.endedAt = at;
  }

  /**
   * Tells who used what up to a boundary, which is later than the one before.
   * @param busyNs busy time of the machine since the boundary before; NaN: not known
   */
  cut(to: number, busyNs: number): Usage {
    const from = this.#boundary;
    this.#boundary = to;
    const isGap = Number.isNaN(from) || Number.isNaN(busyNs);
    const { seenNs, ...usage } = this.#collect(isGap ? to : from, to);
    if (this.#active.some((consumer) => consumer.sources === 0)) this.#moveEnded(to);
    if (isGap) return createGap(to);
    return { ...usage, firstTo: to, to, isGap, busyNs: this.#carry.settle(busyNs, seenNs) };
  }

  /**
   * Takes out the consumers that have ended and whose last usage is settled.
   * @param isDoneWith true for every boundary before one for which it is true
   */
  takeSettled(isDoneWith: (boundary: number) => boolean): readonly Consumer[] {
    const settled: Consumer[] = [];
    for (const [consumer, boundary] of this.#endings) {
      if (!isDoneWith(boundary)) break;
      this.#endings.delete(consumer);
      this.#byKey.delete(consumer.key);
      settled.push(consumer);
    }
    return settled;
  }

  #consumerOf(series: Series): Consumer {
    const startedAt = Number(series.start - this.#options.epoch);
    const known = this.find(series.resource);
    if (known === undefined) return this.#create(series.resource, startedAt);
    known.resume(startedAt);
    if (this.#endings.delete(known)) this.#insert(known);
    return known;
  }

  #create(resource: Resource, startedAt: number): Consumer {
    const groups = this.#views.map((view) => view.join(resource, startedAt));
    const consumer = new Consumer(resource, startedAt, groups);
    this.#byKey.set(consumer.key, consumer);
    this.#insert(consumer);
    return consumer;
  }

  #insert(consumer: Consumer): void {
    let low = 0;
    let high = this.#active.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#active[middle].key < consumer.key) low = middle + 1;
      else high = middle;
    }
    this.#active.splice(low, 0, consumer);
  }

  #collect(from: number, to: number) {
    const usage = { consumers: [] as Consumer[], cpuNs: [] as number[], lifeNs: [] as number[] };
    let seenNs = 0;
    for (const { view } of this.#limited) view.advance(to);
    for (const consumer of this.#active) {
      const cpuNs = consumer.cut(from, to);
      if (cpuNs === 0 && !this.#options.hasIdle) continue;
      usage.consumers.push(consumer);
      usage.cpuNs.push(cpuNs);
      usage.lifeNs.push(consumer.countLifeNs(from, to));
      for (const { view, index } of this.#limited) view.weigh(consumer.groups[index], cpuNs);
      seenNs += cpuNs;
    }
    for (const { view } of this.#limited) view.rank(to);
    return { ...usage, seenNs };
  }

  #moveEnded(boundary: number): void {
    const ended = this.#active.filter((consumer) => consumer.sources === 0);
    this.#active = this.#active.filter((consumer) => consumer.sources > 0);
    for (const consumer of ended) this.#endings.set(consumer, boundary);
  }
}
