import { elementAt } from '../element.js';
import { concerns, type ReadFault } from './fault.js';
import { createMachine, type Machine } from './machine.js';
import type { SimulatedDomain } from './machine-spec.js';
import { hash } from './random.js';
import { ReadFaults, SensorClock } from './sensor-faults.js';

const rangeUnits = 2n ** 32n;
const njPerMicrojoule = 1000n;
const newline = 0x0a;

/** A period without a restart of the counter. */
interface CounterStart {
  readonly sinceUs: number;
  /** The value at 0 energy, possibly negative. Undefined: it started at 0, at an instant not evaluated yet. */
  baseUnits: bigint | undefined;
}

/** A machine's counter of one domain, as shown in a file of the powercap tree or of another driver. */
export class EnergySensor {
  readonly domain: SimulatedDomain;
  /** The maximum of `readText`. */
  readonly maxMicrojoules: number;
  readonly #machine: Machine;
  readonly #index: number;
  readonly #unitNj: bigint;
  readonly #clock: SensorClock;
  readonly #faults: ReadFaults;
  readonly #starts: readonly CounterStart[];
  #shownUs = -1;
  #shownNj = 0n;
  #microjoules = 0n;
  #told = -1n;
  #text = '';

  /**
   * @param index of the domain in the machine
   * @param ahead the same machine, which may be advanced far ahead
   */
  constructor(machine: Machine, index: number, ahead: Machine) {
    const { spec, domains } = machine;
    const domain = elementAt(domains, index);
    this.domain = domain;
    this.#machine = machine;
    this.#index = index;
    this.#unitNj = BigInt(domain.unitNj);
    this.maxMicrojoules = Number(((rangeUnits - 1n) * this.#unitNj) / njPerMicrojoule);
    this.#clock = new SensorClock(spec, index, domain.name);
    this.#faults = new ReadFaults(spec, index, domain.name);
    this.#starts = findStarts(ahead, index, this.#clock);
  }

  /** The instant whose energy it shows at this one. Both are simulated time in microseconds. */
  shownUs(us: number): number {
    return this.#clock.shownUs(us);
  }

  /** The energy that it shows at this instant: that of its domain at the last refresh, in nanojoules. */
  shownNj(us: number): bigint {
    this.#refresh(us);
    return this.#shownNj;
  }

  /** Its count at this instant, whether a read would work or not: microjoules, which wrap. */
  microjoules(us: number): bigint {
    this.#refresh(us);
    return this.#microjoules;
  }

  /** Whether it exists: hotplug removes it. */
  isHere(us: number): boolean {
    return !this.#faults.isGone(us);
  }

  /** The random fault of a read at this instant. */
  faultByChance(us: number): ReadFault | undefined {
    return this.#faults.findByChance(us);
  }

  /**
   * The result of a read at this instant, including the line end.
   * @returns undefined if it fails
   */
  readText(us: number): string | undefined {
    if (!this.isHere(us) || this.#machine.timeline.isSuspended(us)) return undefined;
    const text = this.#textAt(us);
    switch (this.#faults.find(us)) {
      case undefined:
        return text;
      case 'failed':
        return undefined;
      case 'empty':
        return '';
      case 'torn':
        return text.slice(0, this.#faults.tear(us, text.length));
    }
  }

  /**
   * Reads like pread(2).
   * @returns the number of bytes, -1 if the read failed
   */
  read(buffer: Uint8Array, us: number): number {
    const text = this.readText(us);
    if (text === undefined) return -1;
    for (let i = 0; i < text.length; i++) buffer[i] = text.codePointAt(i) ?? newline;
    return text.length;
  }

  /** Cached, since it is read many times between two refreshes. */
  #textAt(us: number): string {
    const microjoules = this.microjoules(us);
    if (microjoules !== this.#told) this.#text = `${microjoules}\n`;
    this.#told = microjoules;
    return this.#text;
  }

  /** The value is remembered: a dead sensor shows one that the machine no longer keeps. */
  #refresh(us: number): void {
    const shownUs = this.shownUs(us);
    if (shownUs === this.#shownUs) return;
    this.#shownUs = shownUs;
    this.#shownNj = this.#machine.energyNj(this.#index, shownUs);
    const start = this.#starts.findLast(({ sinceUs }) => shownUs >= sinceUs) ?? elementAt(this.#starts, 0);
    start.baseUnits ??= -(this.#machine.energyNj(this.#index, start.sinceUs) / this.#unitNj);
    const units = modulo(start.baseUnits + this.#shownNj / this.#unitNj);
    this.#microjoules = (units * this.#unitNj) / njPerMicrojoule;
  }
}

/** The sensors of all domains of a machine. */
export function createSensors(machine: Machine): readonly EnergySensor[] {
  const ahead = createMachine(machine.spec);
  return machine.domains.map((_, index) => new EnergySensor(machine, index, ahead));
}

function findStarts(ahead: Machine, index: number, clock: SensorClock): readonly CounterStart[] {
  const { spec, domains } = ahead;
  const { name, unitNj } = elementAt(domains, index);
  const own = spec.faults.filter((fault) => concerns(fault, name));
  const wrap = own.find(({ kind }) => kind === 'wrap');
  // Somewhere in the first half, unless it should wrap.
  const seeded = BigInt(hash(spec.seed, 9, index)) / 2n;
  const unitsAt = (us: number) => ahead.energyNj(index, us) / BigInt(unitNj);
  const baseUnits = wrap === undefined ? seeded : rangeUnits - unitsAt(clock.shownUs(wrap.atUs));
  const resets = own.flatMap(({ kind, atUs, forUs }) => {
    if (kind === 'reset') return [atUs];
    // After a suspend, the counter of a machine restarts.
    return kind === 'suspend' ? [atUs + forUs] : [];
  });
  return [
    { sinceUs: 0, baseUnits },
    ...resets.toSorted((a, b) => a - b).map((sinceUs) => ({ sinceUs, baseUnits: undefined })),
  ];
}

function modulo(units: bigint): bigint {
  return ((units % rangeUnits) + rangeUnits) % rangeUnits;
}
