import { closeSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '../../src/component/errors.js';
import { openRegularFile, readRegularText } from '../../src/linux/regular-file.js';
import { parseCounter, readFromStart } from '../../src/linux/sysfs.js';
import { WrappingCounter } from '../../src/energy/wrapping-counter.js';
import { CopyWatch } from './copy-watch.js';
import type { Takeover } from './copy-watch.js';
import { nameDomain } from './domain.js';
import { beginLife } from './energy-reader.js';
import type { EnergyReader } from './energy-reader.js';
import { nameFolder } from './find-powercap.js';
import type { Zone } from './find-powercap.js';
import type { LeftOut, Note } from './metrics.js';

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
  readonly previous: PowercapReader | undefined;
}

/** Reads the powercap tree. */
export class PowercapReader implements EnergyReader {
  readonly interface = 'powercap';
  readonly domains;
  readonly failures;
  #zones: readonly OpenZone[];
  readonly #lives: number[];
  readonly #nowMs: () => number;
  readonly #copies: CopyWatch;
  #readMs = 0;
  #isSilent = false;
  #hasGap = false;
  #hasTakenCopy = false;

  constructor(zones: readonly OpenZone[], { nowMs, failures, previous }: PowercapOptions) {
    this.failures = failures;
    this.domains = zones.map(({ zone }) => zone.domain);
    this.#zones = zones;
    this.#lives = zones.map(({ life }) => life);
    this.#nowMs = nowMs;
    const read = zones.map(({ zone }) => zone);
    this.#copies = new CopyWatch(read, nowMs(), previous === undefined ? undefined : previous.#copies);
  }

  get sources(): readonly string[] {
    return this.#zones.map(({ zone }) => nameFolder(zone.path));
  }

  get paths(): readonly string[] {
    return this.#zones.map(({ zone }) => zone.path);
  }

  get copies(): readonly LeftOut[] {
    return this.#zones.flatMap(({ zone: { domain, copies } }) =>
      copies.map(({ path }): LeftOut => ({ domain, source: nameFolder(path), state: 'copy' })),
    );
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
    let isSame = !this.#hasTakenCopy;
    let readings = 0;
    this.#hasTakenCopy = false;
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

  checkCopies(): readonly Note[] {
    const { takeovers, notes } = this.#copies.check(this.#nowMs());
    const failed = takeovers.flatMap((takeover) => this.#take(takeover));
    return [...notes, ...failed];
  }

  /** @returns what went wrong */
  #take({ from, to, counter }: Takeover): readonly Note[] {
    const column = this.#zones.findIndex(({ zone }) => zone === from);
    try {
      const fd = openEnergy(to);
      closeSync(this.#zones[column].fd);
      this.#zones = this.#zones.with(column, { zone: to, fd, counter, life: 0, hasGap: false });
      this.#beginLife(column);
      this.#hasTakenCopy = true;
      return [];
    } catch (error) {
      return [{ level: 'warn', text: `Cannot read ${energyPath(to)}: ${describeError(error)}` }];
    }
  }

  /** Hands over the zone with this path and domain. */
  release(zone: Zone): OpenZone | undefined {
    const found = this.#find(zone);
    this.#zones = this.#zones.filter((one) => one !== found);
    return found;
  }

  /** Whether the zone with this path and domain is open. */
  has(zone: Zone): boolean {
    return this.#find(zone) !== undefined;
  }

  #find(zone: Zone): OpenZone | undefined {
    const wanted = identify(zone);
    return this.#zones.find((one) => identify(one.zone) === wanted);
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
  return new PowercapReader(open, { nowMs, failures, previous });
}

interface ZoneOptions {
  readonly failures: ZoneFailure[];
  readonly previous: PowercapReader | undefined;
}

function openFirst(zone: Zone, { failures, previous }: ZoneOptions): readonly OpenZone[] {
  const errors: unknown[] = [];
  const all = listAlternatives(zone);
  // What was read before goes on: where that is a copy, the zone itself stood still or could not be read.
  const kept = all.find((one) => previous?.has(one) === true);
  for (const one of kept ? [kept, ...all] : all) {
    try {
      const before = previous?.release(one);
      return [before ? reopenZone({ ...before, zone: one }) : openZone(one)];
    } catch (error) {
      errors.push(error);
    }
  }
  failures.push({ zone, error: errors[0] });
  return [];
}

/** The zone and each of its copies as one that is read, with the others as its copies. */
function listAlternatives(zone: Zone): readonly Zone[] {
  const all = [zone, ...zone.copies];
  return all.map((one) => withCopies(one, zone, all));
}

function withCopies(one: Zone, { domain }: Zone, all: readonly Zone[]): Zone {
  return { ...one, domain, copies: all.filter((other) => other !== one) };
}

function openZone(zone: Zone): OpenZone {
  // Where it is polled as often as its range asks for, an outage is all that is longer.
  const counter = new WrappingCounter({ ...zone, outageMs: 0 });
  return { zone, fd: openEnergy(zone), counter, life: beginLife(), hasGap: false };
}

/** The descriptor of a zone that was taken away and came back fails for good; its counter may have gone on. */
function reopenZone(before: OpenZone): OpenZone {
  if (!before.hasGap) return before;
  closeSync(before.fd);
  return { ...before, fd: openRegularFile(energyPath(before.zone)) };
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
