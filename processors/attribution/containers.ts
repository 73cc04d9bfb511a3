import { regressionOf } from '../../src/energy/loss-model.js';
import { isPlatform } from '../../src/model/energy-domain.js';
import { findOrAdd } from '../../src/model/plan.js';
import { ATTR_ENERGY_METHOD } from '../../src/model/semantic-conventions.js';
import { resourceKey, type Series } from '../../src/model/series.js';
import { isMeasuredHost } from '../../src/model/shared-metrics.js';
import type { Settled } from '../../src/usage/windows.js';
import { HostParts, type Settled as SettledWindow } from './host-parts.js';
import type { EnergyCounter } from './meter.js';
import { describeRemainder, RemainderMeter, type RemainderOptions } from './remainder.js';

/**
 * How long to wait for a first domain before the host is attributed: meters send their first tables within a
 * second or two.
 */
const waitNs = 3e9;

/** Receives the readings of one energy counter. */
export interface EnergyReader {
  /**
   * @param instant nanoseconds, as an array of one number
   * @param values array whose cell is the joules since the counter's start; negative or not finite: no reading
   */
  read(instant: Float64Array, values: Float64Array, cell: number): void;
  /** The point up to which its energy is booked; undefined: none is. */
  readonly settled: Settled | undefined;
  /** The counter has no further readings. */
  close(): void;
}

/** What a host's counter needs from the ledger. */
export interface HostDomains {
  /** Whether domains of the host are measured, which its meter contains. */
  hasParts(): boolean;
  /**
   * Starts to attribute what the host uses beyond its domains. @param isFirst whether the host's energy was not
   * attributed before by this ledger
   * @returns undefined: it is not known
   */
  openRemainder(isFirst: boolean): EnergyCounter | undefined;
  /**
   * Starts to attribute the host. @param isFirst whether it is the first time, so that everything counted so
   * far is still to be attributed
   */
  open(isFirst: boolean): EnergyCounter;
}

/**
 * The meter of a whole host. It contains the domains of the host, so while any of these is measured only the
 * remainder is attributed: nothing is charged twice. Until it is known whether any is measured, its readings
 * are held.
 */
export class HostCounter implements EnergyReader {
  readonly #domains: HostDomains;
  #counter: EnergyCounter | undefined;
  #remainder: EnergyCounter | undefined;
  #hasOpened = false;
  #waitsSince = NaN;
  /** The first and the last of the held readings, as pairs of nanoseconds and joules. */
  readonly #held: [instant: Float64Array, joules: Float64Array][] = [];

  constructor(domains: HostDomains) {
    this.#domains = domains;
  }

  read(instant: Float64Array, values: Float64Array, cell: number): void {
    if (this.#domains.hasParts()) return this.#readRemainder(instant, values, cell);
    this.#remainder?.close();
    this.#remainder = undefined;
    if (this.#counter === undefined && !this.#isDue(instant, values, cell)) return;
    this.#counter ??= this.#open();
    this.#counter.read(instant, values, cell);
  }

  get settled(): Settled | undefined {
    return (this.#counter ?? this.#remainder)?.settled;
  }

  /** No table will follow: held readings are attributed if no domain has appeared. */
  finish(): void {
    if (this.#held.length > 0 && !this.#domains.hasParts()) this.#counter ??= this.#open();
  }

  close(): void {
    this.finish();
    this.#counter?.close();
    this.#remainder?.close();
  }

  #readRemainder(instant: Float64Array, values: Float64Array, cell: number): void {
    this.#counter?.close();
    this.#counter = undefined;
    this.#waitsSince = NaN;
    this.#remainder ??= this.#domains.openRemainder(!this.#hasOpened);
    this.#hasOpened = true;
    if (this.#remainder) this.#giveHeld(this.#remainder);
    this.#held.length = 0;
    this.#remainder?.read(instant, values, cell);
  }

  #isDue(instant: Float64Array, values: Float64Array, cell: number): boolean {
    const [at = NaN] = instant;
    if (Number.isNaN(this.#waitsSince)) this.#waitsSince = at;
    if (at - this.#waitsSince >= waitNs) return true;
    const joules = values.slice(cell, cell + 1);
    if (Number.isFinite(joules[0])) this.#held.splice(1, 1, [Float64Array.of(at), joules]);
    return false;
  }

  #open(): EnergyCounter {
    const counter = this.#domains.open(!this.#hasOpened);
    this.#hasOpened = true;
    this.#giveHeld(counter);
    return counter;
  }

  #giveHeld(counter: EnergyCounter): void {
    for (const [instant, joules] of this.#held) counter.read(instant, joules, 0);
    this.#held.length = 0;
  }
}

/** Whether a meter contains domains: that of a host, or of a platform within it (psys). */
export function isContainer(series: Series): boolean {
  return isMeasuredHost(series) || isPlatform(series);
}

/** The domains of one machine, as seen by the meters that contain them. */
class Machine {
  readonly host = new HostParts();
  readonly platform = new HostParts();
  /** Number of platform meters. With several, it is not known which domains each contains. */
  platforms = 0;
}

/** What containers need from the ledger. */
export interface ContainerDomains {
  /**
   * Starts to attribute a domain. @param isFirst whether everything its counter has counted is still to be
   * attributed
   */
  open(series: Series, isFirst: boolean): EnergyCounter;
  /**
   * Starts to attribute a remainder. @param container the counter that it is a part of. If an earlier ledger has
   * attributed its energy, it continues there; undefined: it does not
   */
  openRemainder(remainder: Series, container: Series | undefined): EnergyCounter;
}

/**
 * The meters that contain domains (docs/ledger.md, The whole host). The remainder of each, beyond its domains,
 * is a separate domain, so that no energy is in the ledger twice: the host contains the platform, and the
 * platform the domains.
 */
export class Containers {
  readonly #id: string;
  readonly #maxWindowNs: number;
  readonly #domains: ContainerDomains;
  /** By their resources. */
  readonly #machines = new Map<string, Machine>();
  /** The counter of the container of each remainder. */
  readonly #containerOf = new WeakMap<Series, Series>();

  /** @param id of the processor */
  constructor(id: string, maxWindowNs: number, domains: ContainerDomains) {
    this.#id = id;
    this.#maxWindowNs = maxWindowNs;
    this.#domains = domains;
  }

  /** Adds or removes a counter of a domain. */
  count(series: Series, key: string, change: 1 | -1): void {
    const isMeasured = series.attributes[ATTR_ENERGY_METHOD] !== 'estimated';
    const { host, platform } = this.#machineOf(series);
    host.count(key, isMeasured, change);
    platform.count(key, isMeasured, change);
  }

  /** Receives a settled window of a domain or of a remainder. */
  settled(series: Series, key: string, settled: SettledWindow): void {
    const { host, platform } = this.#machineOf(series);
    if (!isMeasuredHost(series)) host.settled(key, settled, this.#maxWindowNs);
    if (!isContainer(series)) platform.settled(key, settled, this.#maxWindowNs);
  }

  /** Creates the reader for a container's meter. */
  createCounter(series: Series): EnergyReader {
    const machine = this.#machineOf(series);
    const openRemainder = (parts: HostParts, container?: Series) => {
      parts.isWatched = true;
      if (!parts.areMeasured) return undefined;
      const remainder = describeRemainder(series);
      this.#containerOf.set(remainder, series);
      return this.#domains.openRemainder(remainder, container);
    };
    if (isPlatform(series)) {
      return new PlatformCounter(machine, (parts, isFirst) =>
        openRemainder(parts, isFirst ? series : undefined),
      );
    }
    return new HostCounter({
      hasParts: () => machine.host.isLive,
      openRemainder: (isFirst) => openRemainder(machine.host, isFirst ? series : undefined),
      open: (isFirst) => this.#domains.open(series, isFirst),
    });
  }

  /** Creates the meter of what a container uses beyond its domains. */
  createMeter(
    remainder: Series,
    key: string,
    options: Omit<RemainderOptions, 'parts' | 'isContainer' | 'settledTo' | 'regression'>,
  ): RemainderMeter {
    const { host, platform } = this.#machineOf(remainder);
    const regression = regressionOf(this.#id, this.#containerOf.get(remainder) ?? remainder);
    const known = { ...options, regression };
    if (!isPlatform(remainder)) {
      return new RemainderMeter({ ...known, parts: host, isContainer: true, settledTo: () => -Infinity });
    }
    const meter = new RemainderMeter({
      ...known,
      parts: platform,
      isContainer: options.calibration !== undefined,
      settledTo: () => host.takenTo,
    });
    host.countRemainder(key, () => meter.isPending);
    return meter;
  }

  #machineOf({ resource }: Series): Machine {
    return findOrAdd(this.#machines, resourceKey(resource), () => new Machine());
  }
}

/** Starts to attribute a platform's remainder. @param isFirst whether this ledger has not attributed any of it */
type OpenPlatform = (parts: HostParts, isFirst: boolean) => EnergyCounter | undefined;

/**
 * The meter of a platform. Only its remainder beyond the domains is attributed: without domains, it is not
 * known what the platform contains.
 */
class PlatformCounter implements EnergyReader {
  readonly #machine: Machine;
  readonly #openRemainder: OpenPlatform;
  #remainder: EnergyCounter | undefined;
  #hasOpened = false;

  constructor(machine: Machine, openRemainder: OpenPlatform) {
    this.#machine = machine;
    this.#openRemainder = openRemainder;
    machine.platforms += 1;
  }

  read(instant: Float64Array, values: Float64Array, cell: number): void {
    const { platform, platforms } = this.#machine;
    if (platform.isLive && platforms === 1) {
      this.#remainder ??= this.#openRemainder(platform, !this.#hasOpened);
      this.#hasOpened = true;
      this.#remainder?.read(instant, values, cell);
    } else this.#closeRemainder();
  }

  get settled(): Settled | undefined {
    return this.#remainder?.settled;
  }

  close(): void {
    this.#closeRemainder();
    this.#machine.platforms -= 1;
  }

  #closeRemainder(): void {
    this.#remainder?.close();
    this.#remainder = undefined;
  }
}
