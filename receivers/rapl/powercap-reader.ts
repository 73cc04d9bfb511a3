import { closeSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '../../src/component/errors.js';
import { openRegularFile, readRegularText } from '../../src/linux/regular-file.js';
import { parseCounter, readFromStart } from '../../src/linux/sysfs.js';
import { WrappingCounter } from '../../src/energy/wrapping-counter.js';
import { nameDomain } from './domain.js';
import { beginLife } from './energy-reader.js';
import type { EnergyReader } from './energy-reader.js';
import { nameFolder } from './find-powercap.js';
import type { Zone } from './find-powercap.js';

/** A zone whose counter is open. */
interface OpenZone {
  readonly zone: Zone;
  readonly fd: number;
  readonly counter: WrappingCounter;
  life: number;
  hasGap: boolean;
}

// Twenty digits and a line end are the longest text that the kernel writes.
const text = new Uint8Array(32);

/** A zone whose counter cannot be opened or read. */
export interface ZoneFailure {
  readonly zone: Zone;
  /** Of the system. */
  readonly error: unknown;
}

interface PowercapOptions {
  readonly nowMs: () => number;
  readonly failures: readonly ZoneFailure[];
}

/** Reads the powercap tree. */
export class PowercapReader implements EnergyReader {
  readonly interface = 'powercap';
  readonly domains;
  readonly sources;
  readonly paths;
  readonly failures;
  #zones: readonly OpenZone[];
  readonly #lives: number[];
  readonly #nowMs: () => number;
  #readMs = 0;
  #isSilent = false;
  #hasGap = false;

  constructor(zones: readonly OpenZone[], { nowMs, failures }: PowercapOptions) {
    this.failures = failures;
    this.domains = zones.map(({ zone }) => zone.domain);
    this.sources = zones.map(({ zone }) => nameFolder(zone.path));
    this.paths = zones.map(({ zone }) => zone.path);
    this.#zones = zones;
    this.#lives = zones.map(({ life }) => life);
    this.#nowMs = nowMs;
  }

  get lives(): readonly number[] {
    return this.#lives;
  }

  get isSilent(): boolean {
    return this.#isSilent;
  }

  get hasGap(): boolean {
    return this.#hasGap;
  }

  /** Zones whose counters have shown more than their range. */
  get zonesBeyondRange(): readonly Zone[] {
    return this.#zones.filter(({ counter }) => counter.isRangeWrong).map(({ zone }) => zone);
  }

  read(values: Float64Array, at: number): boolean {
    const nowMs = this.#nowMs();
    let isSame = true;
    let readings = 0;
    for (let column = 0; column < this.#zones.length; column++) {
      const zone = this.#zones[column];
      const microjoules = readMicrojoules(zone);
      if (!zone.hasGap) readings++;
      if (!zone.counter.update(microjoules, nowMs)) {
        isSame = false;
        this.#beginLife(column);
      }
      values[at + column] = zone.counter.joules;
    }
    this.#readMs = nowMs;
    this.#isSilent = readings === 0;
    this.#hasGap = readings < this.#zones.length;
    return isSame;
  }

  ageMs(column: number): number {
    return this.#readMs - this.#zones[column].counter.startedMs;
  }

  restart(column: number): void {
    this.#zones[column].counter.restart();
    this.#beginLife(column);
  }

  #beginLife(column: number): void {
    this.#zones[column].life = beginLife();
    this.#lives[column] = this.#zones[column].life;
  }

  /** Hands over the zone with this path and domain. */
  release(zone: Zone): OpenZone | undefined {
    const wanted = identify(zone);
    const found = this.#zones.find((one) => identify(one.zone) === wanted);
    this.#zones = this.#zones.filter((one) => one !== found);
    return found;
  }

  close(): void {
    for (const { fd } of this.#zones) closeSync(fd);
  }
}

function readMicrojoules(zone: OpenZone): number {
  const microjoules = parseCounter(text, readFromStart(zone.fd, text));
  zone.hasGap = Number.isNaN(microjoules);
  return microjoules;
}

function identify({ path, domain, maxMicrojoules }: Zone): string {
  return [path, nameDomain(domain), maxMicrojoules].join(' ');
}

/**
 * Opens the counter of every zone that can be read, or else of a copy of it.
 * @param nowMs a clock that never runs backwards
 * @param previous the reader before this one, whose counters go on
 */
export function openPowercapReader(
  zones: readonly Zone[],
  nowMs = () => performance.now(),
  previous?: PowercapReader,
): PowercapReader {
  const failures: ZoneFailure[] = [];
  const open = zones.flatMap((zone) => openFirst(zone, { failures, previous }));
  return new PowercapReader(open, { nowMs, failures });
}

interface ZoneOptions {
  readonly failures: ZoneFailure[];
  readonly previous: PowercapReader | undefined;
}

function openFirst(zone: Zone, { failures, previous }: ZoneOptions): readonly OpenZone[] {
  const errors: unknown[] = [];
  for (const path of [zone.path, ...zone.copies]) {
    const one = { ...zone, path };
    try {
      const before = previous?.release(one);
      return [before ? reopenZone(before) : openZone(one)];
    } catch (error) {
      errors.push(error);
    }
  }
  failures.push({ zone, error: errors[0] });
  return [];
}

function openZone(zone: Zone): OpenZone {
  // Where it is polled as often as its range asks for, an outage is all that is longer.
  const counter = new WrappingCounter({ ...zone, outageMs: 0 });
  return { zone, fd: openEnergy(zone), counter, life: beginLife(), hasGap: false };
}

/** The descriptor of a zone that was taken away and came back fails for good; its counter may have gone on. */
function reopenZone(before: OpenZone): OpenZone {
  if (!before.hasGap) return before;
  const fd = openRegularFile(energyPath(before.zone));
  closeSync(before.fd);
  return { ...before, fd };
}

/** The file of a zone that shows its counter. */
export function energyPath({ path }: Pick<Zone, 'path'>): string {
  return join(path, 'energy_uj');
}

/** @throws Error of the system when it cannot be opened, or every read fails: virtual machines have such zones */
function openEnergy(zone: Zone): number {
  const fd = openRegularFile(energyPath(zone));
  try {
    readSync(fd, text, 0, text.length, 0);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Why a zone has given no reading, as far as its file shows; an empty path is that of a counter of perf_event. */
export function explainGap(path: string): string {
  if (path === '') return 'the kernel does not count, its CPU may be offline';
  try {
    const found = readRegularText(energyPath({ path }));
    if (/^\d+\n$/.test(found)) return 'its reading is implausible, or it was reset';
    return `expected a decimal counter in ${energyPath({ path })}, found "${found.trim().slice(0, 32)}"`;
  } catch (error) {
    return describeError(error);
  }
}

/** Whether the counter of a zone that failed can be read now. */
export function isReadable(zone: Zone): boolean {
  try {
    closeSync(openEnergy(zone));
    return true;
  } catch {
    return false;
  }
}
