import { resourceKey } from '../../src/model/key.js';
import type { Resource } from '../../src/model/series.js';
import { UsageCurve } from '../../src/energy/usage-curve.js';
import type { Group } from './views.js';

/** Who uses CPU time: a process, or what a receiver sums up as one. */
export class Consumer {
  readonly resource: Resource;
  /** Decides its place among the consumers. */
  readonly key: string;
  /** Its group in each view, in the order of the views. */
  readonly groups: readonly Group[];
  /** Since when it is known to live, and until when: nanoseconds. */
  readonly bornAt: number;
  endedAt = Infinity;
  /** How many of its counters are live. */
  sources = 0;
  readonly #curve: UsageCurve;
  #grownNs = 0;
  #isRead = false;

  constructor(resource: Resource, bornAt: number, groups: readonly Group[]) {
    this.resource = resource;
    this.key = resourceKey(resource);
    this.groups = groups;
    this.bornAt = bornAt;
    this.#curve = new UsageCurve(bornAt);
  }

  /** Its counters began anew at this instant: what was used between the last reading and it is not known. */
  resume(at: number): void {
    this.endedAt = Infinity;
    this.#curve.read(at, 0);
  }

  /** One of its counters has a reading in the row that is being read. */
  grow(grownNs: number): void {
    this.#isRead = true;
    this.#grownNs += grownNs;
  }

  /** All counters of the row at this instant have been read. */
  finishRow(at: number): void {
    if (!this.#isRead) return;
    this.#curve.read(at, this.#grownNs);
    this.#grownNs = 0;
    this.#isRead = false;
  }

  /** CPU nanoseconds that it used between two boundaries, asked once for each. */
  cut(from: number, to: number): number {
    return this.#curve.cut(from, to);
  }

  /** For how many nanoseconds between two boundaries it is known to have lived. */
  countLifeNs(from: number, to: number): number {
    return Math.max(0, Math.min(to, this.endedAt) - Math.max(from, this.bornAt));
  }
}

/** One CPU time counter of a consumer. */
export class UsageSource {
  readonly consumer: Consumer;
  #lastSeconds = 0;
  #lastNs = 0;

  constructor(consumer: Consumer) {
    this.consumer = consumer;
  }

  /** @param seconds CPU time since the counter's start; NaN: no reading */
  read(seconds: number): void {
    if (seconds === this.#lastSeconds) return this.consumer.grow(0);
    if (Number.isNaN(seconds)) return;
    const usedNs = Math.round(seconds * 1e9);
    // A table may come twice, or late: what was counted once stays counted.
    this.consumer.grow(Math.max(0, usedNs - this.#lastNs));
    this.#lastSeconds = seconds;
    this.#lastNs = Math.max(this.#lastNs, usedNs);
  }
}
