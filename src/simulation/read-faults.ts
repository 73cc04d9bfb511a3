import { concerns, isActive, type Fault, type ReadFault } from './fault.js';
import type { MachineSpec } from './machine-spec.js';
import { hash } from './random.js';

const readFaults: readonly ReadFault[] = ['torn', 'failed', 'empty'];

/** Which reads of a sensor go wrong: those in the time of a scheduled fault, and others by chance. */
export class ReadFaults {
  readonly #seed: number;
  readonly #domain: number;
  readonly #scheduled: readonly (Fault & { readonly kind: ReadFault })[];
  readonly #gone: readonly Fault[];
  /** By kind: the shares of all kinds up to and with this one, of 2^32. */
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

  /** How a read at this instant goes wrong; undefined: not at all. */
  find(us: number): ReadFault | undefined {
    const scheduled = this.#scheduled.find((fault) => isActive(fault, us))?.kind;
    return scheduled ?? this.findByChance(us);
  }

  /** Whether the sensor is not there. */
  isGone(us: number): boolean {
    return this.#gone.some((fault) => isActive(fault, us));
  }

  /** How much of a text a torn read at this instant gives: at least one byte, at most all but the last. */
  tear(us: number, length: number): number {
    return 1 + (hash(this.#seed, 8, this.#domain, us) % Math.max(1, length - 1));
  }

  /** The same without what is scheduled. */
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
