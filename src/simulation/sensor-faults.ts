import { concerns, isActive, type Fault, type ReadFault } from './fault.js';
import type { MachineSpec } from './machine-spec.js';
import { hash } from './random.js';

/** When a sensor refreshes: at multiples of its interval, each with a small random delay. */
export class SensorClock {
  readonly #seed: number;
  readonly #domain: number;
  readonly #refreshUs: number;
  readonly #jitterUs: number;
  readonly #slow: readonly Fault[];
  readonly #dead: readonly Fault[];

  /** @param domain index of the domain, by which the sensors of a machine differ */
  constructor({ seed, refreshUs, jitter, faults }: MachineSpec, domain: number, name: string) {
    this.#seed = seed;
    this.#domain = domain;
    this.#refreshUs = refreshUs;
    // A refresh precedes the next one.
    this.#jitterUs = Math.min(refreshUs - 1, Math.round(refreshUs * jitter));
    const own = faults.filter((fault) => concerns(fault, name));
    this.#slow = own.filter(({ kind }) => kind === 'slow');
    this.#dead = own.filter(({ kind }) => kind === 'dead');
  }

  /** The instant of the last refresh, whose energy the sensor shows. */
  shownUs(us: number): number {
    const dead = this.#dead.find((fault) => isActive(fault, us));
    // A dead sensor keeps its last value.
    if (dead !== undefined && dead.atUs < us) return this.shownUs(dead.atUs);
    const slow = this.#slow.find((fault) => isActive(fault, us));
    return slow === undefined ? this.#refreshBefore(us) : this.#slowRefreshBefore(slow, us);
  }

  #slowRefreshBefore({ atUs, forUs }: Fault, us: number): number {
    const intervalUs = Math.min(forUs, 5_000_000);
    const refreshUs = atUs + Math.floor((us - atUs) / intervalUs) * intervalUs;
    return this.#refreshBefore(refreshUs);
  }

  #refreshBefore(us: number): number {
    const count = Math.floor(us / this.#refreshUs);
    const at = this.#refreshAt(count);
    return Math.max(0, at <= us ? at : this.#refreshAt(count - 1));
  }

  #refreshAt(count: number): number {
    const late = this.#jitterUs === 0 ? 0 : hash(this.#seed, 6, this.#domain, count) % (this.#jitterUs + 1);
    return count * this.#refreshUs + late;
  }
}

const readFaults: readonly ReadFault[] = ['torn', 'failed', 'empty'];

/** Which reads of a sensor fail: those during a scheduled fault, and others at random. */
export class ReadFaults {
  readonly #seed: number;
  readonly #domain: number;
  readonly #scheduled: readonly (Fault & { readonly kind: ReadFault })[];
  readonly #gone: readonly Fault[];
  /** By kind: cumulative shares of all kinds up to this one, of 2^32. */
  readonly #bounds: readonly number[];

  constructor({ seed, faults, faultShares }: MachineSpec, domain: number, name: string) {
    this.#seed = seed;
    this.#domain = domain;
    const own = faults.filter((fault) => concerns(fault, name));
    this.#scheduled = own.filter(isOfRead);
    this.#gone = own.filter(({ kind }) => kind === 'hotplug');
    let sum = 0;
    this.#bounds = readFaults.map((kind) => (sum += faultShares[kind]) * 2 ** 32);
  }

  /** The fault of a read at this instant; undefined: none. */
  find(us: number): ReadFault | undefined {
    const scheduled = this.#scheduled.find((fault) => isActive(fault, us))?.kind;
    return scheduled ?? this.findByChance(us);
  }

  /** Whether the sensor does not exist. */
  isGone(us: number): boolean {
    return this.#gone.some((fault) => isActive(fault, us));
  }

  /** The length of a torn read at this instant: at least one byte, and not the last one. */
  tear(us: number, length: number): number {
    return 1 + (hash(this.#seed, 8, this.#domain, us) % Math.max(1, length - 1));
  }

  /** The same without scheduled faults. */
  findByChance(us: number): ReadFault | undefined {
    if (this.#bounds[readFaults.length - 1] === 0) return undefined;
    const number = hash(this.#seed, 7, this.#domain, us);
    const kind = this.#bounds.findIndex((bound) => number < bound);
    return readFaults[kind];
  }
}

function isOfRead(fault: Fault): fault is Fault & { readonly kind: ReadFault } {
  return readFaults.some((kind) => kind === fault.kind);
}
