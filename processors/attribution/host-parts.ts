import { findOrAdd } from '../../src/model/plan.js';
import type { Window } from '../../src/usage/windows.js';
import type { Workload } from '../../src/usage/workload.js';
import type { Parts } from './split.js';

/** Energy that workloads were charged within this time is kept together. */
const bucketNs = 1e8;
/** Beyond this many, what was charged is kept together by twos. */
const maxBuckets = 1024;

/** What the domains of a host used in a time, and who was charged for it. */
export interface PartsUsage {
  /** Whole nanojoules of all domains. */
  readonly energyNj: number;
  /** What of it was shared: all but the idle energy that stays a part of its own. */
  readonly sharedNj: number;
  readonly charges: ReadonlyMap<Workload, number>;
  /** Whether processes used a GPU. */
  readonly isGpuUsed: boolean;
}

/** A window of a domain, its parts, and what each workload of its usage was charged. */
export interface Settled {
  readonly window: Window;
  readonly parts: Parts;
  readonly shares: readonly number[];
}

interface Bucket {
  /** Where the first of its windows begins. */
  from: number;
  firstTo: number;
  to: number;
  sharedNj: number;
  isGpuUsed: boolean;
  readonly charges: Map<Workload, number>;
}

/**
 * The domains that the meter of one host or platform contains: how much each used, as far as it is settled, and who was
 * charged.
 */
export class HostParts {
  readonly #parts = new Map<string, Part>();
  #buckets: Bucket[] = [];
  #estimates = 0;
  /** Whether the host has a meter: without one, nothing is kept. */
  isWatched = false;
  #isFinished = false;
  #takenTo = -Infinity;

  /** Up to where it was taken what they used. */
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

  /** Whether all are measured, so that what the host used beyond them is measured, too. */
  get areMeasured(): boolean {
    return this.#estimates === 0;
  }

  /** A domain has a counter more, or less. @param isMeasured whether it is not an estimate */
  count(key: string, isMeasured: boolean, change: 1 | -1): void {
    if (isMeasured) this.#partOf(key).counters += change;
    else this.#estimates += change;
  }

  /**
   * What a platform shows beyond its domains is a part of the host's remainder that has a meter. While none of it is known,
   * the host's remainder includes it.
   * @param isPending whether energy of it may still come
   */
  countRemainder(key: string, isPending: () => boolean): void {
    this.#partOf(key).isPending = isPending;
  }

  /** Neither energy nor usage will follow. */
  finish(): void {
    this.#isFinished = true;
  }

  /** Takes a window of a domain that has been settled. What lies further back than the longest window is forgotten. */
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

  /** Whether all domains are settled up to an instant, or will not be any further. */
  reaches(at: number): boolean {
    for (const { counters, lastAt, isPending } of this.#parts.values()) {
      const isExpected = isPending ? isPending() : counters > 0 && !this.#isFinished;
      if (isExpected && !(lastAt >= at)) return false;
    }
    return true;
  }

  /** Whether workloads that lived at a boundary may be among those whose charges were not taken so far. */
  hasChargesBefore(boundary: number): boolean {
    return this.#buckets.some(({ from }) => from < boundary);
  }

  /** Where within a window the last instant lies up to which all domains are known; its beginning: there is none. */
  knownTo(from: number, to: number): number {
    const domains = [...this.#parts.values()].filter(({ isPending }) => isPending === undefined);
    return domains.length === 0 ? from : Math.min(...domains.map((part) => part.knownTo(from, to)));
  }

  /** Takes what was used in a window of the host, of which all is known. Windows follow each other. */
  take(from: number, to: number): PartsUsage {
    this.#takenTo = to;
    let energyNj = 0;
    for (const part of this.#parts.values()) energyNj += part.energyNj(from, to);
    return { energyNj, ...this.#takeBuckets(to) };
  }

  /** Forgets what was used up to an instant. */
  forget(to: number): void {
    for (const part of this.#parts.values()) part.forgetBefore(to);
    this.#buckets = this.#buckets.filter((bucket) => bucket.to > to);
  }

  /** A domain that has ended may come back, and until then it is not known what the others leave. */
  #retire(to: number): void {
    this.forget(to);
    for (const [key, { counters, lastAt, isPending }] of this.#parts) {
      if (counters === 0 && isPending === undefined && !(lastAt > to)) this.#parts.delete(key);
    }
  }

  #takeBuckets(to: number): Omit<PartsUsage, 'energyNj'> {
    const taken = this.#buckets.filter((bucket) => bucket.to <= to);
    const charges = new Map<Workload, number>();
    for (const bucket of taken) addCharges(charges, bucket.charges);
    return {
      sharedNj: taken.reduce((sumNj, { sharedNj }) => sumNj + sharedNj, 0),
      charges,
      isGpuUsed: taken.some(({ isGpuUsed }) => isGpuUsed),
    };
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

function addCharges(sums: Map<Workload, number>, charges: ReadonlyMap<Workload, number>): void {
  for (const [workload, energyNj] of charges) sums.set(workload, (sums.get(workload) ?? 0) + energyNj);
}

type Segment = Pick<Window, 'from' | 'to' | 'energyNj'>;

/** One domain: its settled windows, within which its energy grew evenly. */
class Part {
  counters = 0;
  /** Of a remainder: whether energy may still come. */
  isPending: (() => boolean) | undefined;
  #segments: Segment[] = [];
  /** Up to where energy was taken: a segment that reaches back there keeps its form. */
  #takenTo = -Infinity;

  /** Up to where it is settled; NaN: nowhere. */
  get lastAt(): number {
    return this.#segments.at(-1)?.to ?? NaN;
  }

  push({ from, to, energyNj }: Window): void {
    const last = this.#segments.at(-1);
    // Within a bucket, only the sum matters: windows of a millisecond would be many.
    if (last?.to === from && last.from >= this.#takenTo && to - last.from <= bucketNs / 10) {
      this.#segments[this.#segments.length - 1] = { from: last.from, to, energyNj: last.energyNj + energyNj };
    } else this.#segments.push({ from, to, energyNj });
  }

  /** Up to where it is known without a gap within a window; its beginning: it is not known there. */
  knownTo(from: number, to: number): number {
    let known = from;
    for (const segment of this.#segments) if (segment.from <= known) known = Math.max(known, segment.to);
    return Math.min(known, to);
  }

  /** Whole nanojoules between two instants; those of windows that follow each other add up. */
  energyNj(from: number, to: number): number {
    return this.#segments.reduce((sumNj, one) => sumNj + grownTo(one, to) - grownTo(one, from), 0);
  }

  forgetBefore(at: number): void {
    this.#takenTo = at;
    const first = this.#segments.findIndex((segment) => segment.to > at);
    // The last one stays: it says up to where the domain is settled.
    const count = first < 0 ? this.#segments.length - 1 : first;
    if (count > 0) this.#segments.splice(0, count);
  }
}

function grownTo({ from, to, energyNj }: Segment, at: number): number {
  if (at <= from) return 0;
  return at >= to ? energyNj : Math.round((energyNj * (at - from)) / (to - from));
}
