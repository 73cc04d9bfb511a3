import { findOrAdd } from '../../src/model/plan.js';
import { partBefore } from '../../src/usage/usage-split.js';
import type { Window } from '../../src/usage/windows.js';
import type { Workload } from '../../src/usage/workload.js';
import type { Parts } from './split.js';

/** Charges to workloads within this time are aggregated. */
const bucketNs = 1e8;
/** Maximum number of buckets; beyond it, adjacent buckets are merged in pairs. */
const maxBuckets = 1024;

/** The energy that the domains of a host used in a period, and who was charged for it. */
export interface PartsUsage {
  /** Whole nanojoules of all domains. */
  readonly energyNj: number;
  /** The part that was shared: all but the idle energy that stays a separate part. */
  readonly sharedNj: number;
  readonly charges: ReadonlyMap<Workload, number>;
  /** Whether processes used a GPU. */
  readonly isGpuUsed: boolean;
}

/** A window of a domain, its parts, and the charge of each workload of its usage. */
export interface Settled {
  readonly window: Window;
  readonly parts: Parts;
  readonly shares: readonly number[];
}

/** What workloads were charged in some time. */
interface Charged {
  sharedNj: number;
  isGpuUsed: boolean;
  readonly charges: Map<Workload, number>;
}

interface Bucket extends Charged {
  /** Start of the first window, also if the charges up to a later instant have been removed. */
  from: number;
  firstTo: number;
  to: number;
}

/**
 * The domains that the meter of one host or platform contains: the energy of each, as far as it is settled, and
 * who was charged.
 */
export class HostParts {
  readonly #parts = new Map<string, Part>();
  #buckets: Bucket[] = [];
  #estimates = 0;
  /** Whether the host has a meter: without one, nothing is kept. */
  isWatched = false;
  #isFinished = false;
  #takenTo = -Infinity;
  /** Up to here, nothing is left of the buckets. */
  #movedTo = -Infinity;

  /** The end of the last period returned by `take`. */
  get takenTo(): number {
    return this.#takenTo;
  }

  /** Whether any of them is read. */
  get isLive(): boolean {
    return (
      this.#estimates > 0 ||
      [...this.#parts.values()].some(({ counters, isPending }) => counters > 0 && isPending === undefined)
    );
  }

  /** Whether all are measured, so that the host's energy beyond them is known, too. */
  get areMeasured(): boolean {
    return this.#estimates === 0;
  }

  /** Adds or removes a counter of a domain. @param isMeasured false: an estimate */
  count(key: string, isMeasured: boolean, change: 1 | -1): void {
    if (isMeasured) this.#partOf(key).counters += change;
    else this.#estimates += change;
  }

  /**
   * What a platform uses beyond its domains is a metered part of the host's remainder. While none of it is
   * known, the host's remainder includes it.
   * @param isPending whether energy of it may still arrive
   */
  countRemainder(key: string, isPending: () => boolean): void {
    this.#partOf(key).isPending = isPending;
  }

  /** No energy or usage will follow. */
  finish(): void {
    this.#isFinished = true;
  }

  /** Receives a settled window of a domain. Anything older than the maximum window is forgotten. */
  settled(key: string, { window, parts, shares }: Settled, maxWindowNs: number): void {
    if (!this.isWatched) return;
    this.#partOf(key).push(window);
    this.#retire(window.to - maxWindowNs);
    const bucket = this.#bucketOf(window.to);
    bucket.from = Math.min(bucket.from, window.from);
    bucket.sharedNj += window.energyNj - parts.idleNj;
    for (const [i, workload] of window.usage.workloads.entries()) {
      const energyNj = shares[i] ?? 0;
      if (energyNj > 0) bucket.charges.set(workload, (bucket.charges.get(workload) ?? 0) + energyNj);
    }
    if (window.usage.isQuiet === false && parts.attributedNj > 0) bucket.isGpuUsed = true;
  }

  /** Whether all domains are settled up to an instant, or will not be settled any further. */
  reaches(at: number): boolean {
    for (const { counters, lastAt, isPending } of this.#parts.values()) {
      const isExpected = isPending ? isPending() : counters > 0 && !this.#isFinished;
      if (isExpected && !(lastAt >= at)) return false;
    }
    return true;
  }

  /** Whether workloads that existed at a boundary may have charges that were not taken yet. */
  hasChargesBefore(boundary: number): boolean {
    return this.#buckets.some(({ from }) => from < boundary);
  }

  /** The last instant within a window up to which all domains are known; its start: there is none. */
  knownTo(from: number, to: number): number {
    const domains = [...this.#parts.values()].filter(({ isPending }) => isPending === undefined);
    return domains.length === 0 ? from : Math.min(...domains.map((part) => part.knownTo(from, to)));
  }

  /** Takes the usage of a window of the host, which must be fully known. Windows are contiguous. */
  take(from: number, to: number): PartsUsage {
    this.#takenTo = to;
    this.#moveBuckets(from);
    let energyNj = 0;
    for (const part of this.#parts.values()) energyNj += part.energyNj(from, to);
    return { energyNj, ...this.#moveBuckets(to) };
  }

  /** Forgets what was used up to an instant. */
  forget(to: number): void {
    this.#moveBuckets(to);
    for (const part of this.#parts.values()) part.forgetBefore(to);
  }

  /** A domain that has ended may return; until then the remainder is not known. */
  #retire(to: number): void {
    this.#buckets = this.#buckets.filter((bucket) => bucket.to > to);
    for (const part of this.#parts.values()) part.forgetBefore(to);
    for (const [key, { counters, lastAt, isPending }] of this.#parts) {
      if (counters === 0 && isPending === undefined && !(lastAt > to)) this.#parts.delete(key);
    }
  }

  /** Removes what was charged up to an instant. Workloads used what is in a bucket evenly for as long as they lived. */
  #moveBuckets(to: number): Omit<PartsUsage, 'energyNj'> {
    const taken = { sharedNj: 0, charges: new Map<Workload, number>(), isGpuUsed: false };
    for (const bucket of this.#buckets) {
      const from = Math.max(bucket.from, this.#movedTo);
      if (from < to) moveCharges(bucket, taken, from, to);
    }
    this.#buckets = this.#buckets.filter((bucket) => bucket.to > to);
    this.#movedTo = Math.max(this.#movedTo, to);
    return taken;
  }

  #partOf(key: string): Part {
    return findOrAdd(this.#parts, key, () => new Part());
  }

  #bucketOf(to: number): Bucket {
    const last = this.#buckets.at(-1);
    if (last !== undefined && to - last.firstTo < bucketNs) {
      last.to = Math.max(last.to, to);
      return last;
    }
    if (this.#buckets.length >= maxBuckets) this.#buckets = mergeByTwos(this.#buckets);
    const bucket = { from: to, firstTo: to, to, sharedNj: 0, isGpuUsed: false, charges: new Map() };
    this.#buckets.push(bucket);
    return bucket;
  }
}

function mergeByTwos(buckets: readonly Bucket[]): Bucket[] {
  return buckets.flatMap((bucket, i) => {
    const next = buckets[i + 1];
    if (i % 2 === 1) return [];
    if (next === undefined) return [bucket];
    addCharges(bucket.charges, next.charges);
    bucket.from = Math.min(bucket.from, next.from);
    bucket.to = Math.max(bucket.to, next.to);
    bucket.sharedNj += next.sharedNj;
    bucket.isGpuUsed ||= next.isGpuUsed;
    return [bucket];
  });
}

/** Moves the charges of a bucket between two instants. Nothing is left before the first. */
function moveCharges(bucket: Bucket, taken: Charged, from: number, to: number): void {
  let [restNj, ownNj] = [bucket.sharedNj, 0];
  for (const [workload, chargedNj] of bucket.charges) {
    const part = to < bucket.to ? partBefore(to, [from, bucket.to], workload) : 1;
    const energyNj = Math.round(chargedNj * part);
    restNj -= chargedNj;
    ownNj += energyNj;
    bucket.charges.set(workload, chargedNj - energyNj);
    if (energyNj > 0) taken.charges.set(workload, (taken.charges.get(workload) ?? 0) + energyNj);
  }
  const part = Math.min(1, (to - from) / (bucket.to - from));
  const sharedNj = ownNj + Math.round(Math.max(0, restNj) * part);
  bucket.sharedNj -= sharedNj;
  taken.sharedNj += sharedNj;
  taken.isGpuUsed ||= bucket.isGpuUsed;
}

function addCharges(sums: Map<Workload, number>, charges: ReadonlyMap<Workload, number>): void {
  for (const [workload, energyNj] of charges) sums.set(workload, (sums.get(workload) ?? 0) + energyNj);
}

type Segment = Pick<Window, 'from' | 'to' | 'energyNj'>;

/** One domain: its settled windows, each with constant power. */
class Part {
  counters = 0;
  /** For a remainder: whether energy may still arrive. */
  isPending: (() => boolean) | undefined;
  #segments: Segment[] = [];
  /** The start of the energy not taken yet: a segment that starts before it is not changed any more. */
  #takenTo = -Infinity;

  /** The end of the last segment; NaN: none. */
  get lastAt(): number {
    return this.#segments.at(-1)?.to ?? NaN;
  }

  push({ from, to, energyNj }: Window): void {
    const last = this.#segments.at(-1);
    // Within a bucket, only the sum matters: windows of a millisecond would otherwise need many segments.
    if (last?.to === from && last.from >= this.#takenTo && to - last.from <= bucketNs / 10) {
      this.#segments[this.#segments.length - 1] = { from: last.from, to, energyNj: last.energyNj + energyNj };
    } else this.#segments.push({ from, to, energyNj });
  }

  /** The end of the contiguous known part of a window; its start: nothing is known there. */
  knownTo(from: number, to: number): number {
    let known = from;
    for (const segment of this.#segments) if (segment.from <= known) known = Math.max(known, segment.to);
    return Math.min(known, to);
  }

  /** Whole nanojoules between two instants; the values of contiguous windows add up exactly. */
  energyNj(from: number, to: number): number {
    return this.#segments.reduce((sumNj, one) => sumNj + grownTo(one, to) - grownTo(one, from), 0);
  }

  forgetBefore(at: number): void {
    this.#takenTo = at;
    const first = this.#segments.findIndex((segment) => segment.to > at);
    // The last one is kept: it marks the end of what is settled.
    const count = first < 0 ? this.#segments.length - 1 : first;
    if (count > 0) this.#segments.splice(0, count);
  }
}

function grownTo({ from, to, energyNj }: Segment, at: number): number {
  if (at <= from) return 0;
  return at >= to ? energyNj : Math.round((energyNj * (at - from)) / (to - from));
}
