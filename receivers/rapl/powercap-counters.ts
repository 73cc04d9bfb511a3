import { closeSync, readSync } from 'node:fs';
import { WrappingCounter } from '../../src/energy/wrapping-counter.js';
import { describeError } from '../../src/errors.js';
import { openRegularFile, readRegularText } from '../../src/linux/regular-file.js';
import { parseCounter, readFromStart } from '../../src/linux/sysfs.js';
import { CopyWatch, type Takeover } from './copy-watch.js';
import { nameDomain, type LeftOut, type Note } from './domain.js';
import { createCounterId, EnergyReader, type CounterGroup, type CounterPlace } from './energy-reader.js';
import { energyPath, nameFolder, readEnergy, type Zone } from './find-powercap.js';

/** A zone whose counter is open. */
interface OpenZone {
  readonly zone: Zone;
  readonly fd: number;
  readonly counter: WrappingCounter;
  /** Whether the last reading failed. */
  hasGap: boolean;
  /** Whether there was a reading since the copies were last compared. */
  wasRead: boolean;
}

interface IdentifiedZone extends OpenZone {
  readonly id: number;
}

// Twenty digits and a line end are the longest text that the kernel writes.
const text = new Uint8Array(32);

/** A zone whose counter cannot be opened or read. */
export interface ZoneFailure {
  readonly zone: Zone;
  /** Of the system. */
  readonly error: unknown;
}

/** The zones of powercap: microjoules that wrap, read one by one through descriptors that stay open. */
class ZoneGroup implements CounterGroup {
  readonly ids: number[];
  gaps = 0;
  #zones: readonly OpenZone[];
  readonly #nowMs: () => number;
  readonly #copies: CopyWatch;
  #readMs = 0;
  #hasTakenCopy = false;

  /**
   * @param nowMs a clock that never runs backwards
   * @param previous the zones that were read before, some of which go on here
   */
  constructor(zones: readonly IdentifiedZone[], nowMs: () => number, previous?: ZoneGroup) {
    this.ids = zones.map(({ id }) => id);
    this.#zones = zones;
    this.#nowMs = nowMs;
    const read = zones.map(({ zone }) => zone);
    this.#copies = new CopyWatch(read, nowMs(), previous === undefined ? undefined : previous.#copies);
  }

  get places(): readonly CounterPlace[] {
    return this.#zones.map(({ zone: { domain, path } }) => ({ domain, source: nameFolder(path), path }));
  }

  get copies(): readonly LeftOut[] {
    return this.#zones.flatMap(({ zone: { domain, copies } }) =>
      copies.map(({ path }): LeftOut => ({ domain, source: nameFolder(path), state: 'copy' })),
    );
  }

  /** Zones whose counters have shown more than their range. */
  get zonesBeyondRange(): readonly Zone[] {
    return this.#zones.filter(({ counter }) => counter.isRangeWrong).map(({ zone }) => zone);
  }

  read(values: Float64Array, at: number): boolean {
    const nowMs = this.#nowMs();
    let isSame = !this.#hasTakenCopy;
    let gaps = 0;
    this.#hasTakenCopy = false;
    for (let index = 0; index < this.#zones.length; index++) {
      const zone = this.#zones[index];
      const microjoules = readMicrojoules(zone);
      if (zone.hasGap) gaps++;
      if (!zone.counter.update(microjoules, nowMs)) {
        isSame = false;
        this.ids[index] = createCounterId();
      }
      values[at + index] = zone.counter.joules;
    }
    this.#readMs = nowMs;
    this.gaps = gaps;
    return isSame;
  }

  ageMs(index: number): number {
    return this.#readMs - this.#zones[index].counter.startedMs;
  }

  restart(index: number): void {
    this.#zones[index].counter.restart();
    this.ids[index] = createCounterId();
  }

  checkCopies(): readonly Note[] {
    const nowMs = this.#nowMs();
    if (!this.#copies.isDue(nowMs)) return [];
    const read = new Set(this.#zones.filter(({ wasRead }) => wasRead).map(({ zone }) => zone));
    for (const zone of this.#zones) zone.wasRead = false;
    const { takeovers, notes } = this.#copies.check(nowMs, (zone) => read.has(zone));
    return [...notes, ...takeovers.flatMap((takeover) => this.#take(takeover))];
  }

  /** Hands over the zone with this path and domain. */
  release(zone: Zone): IdentifiedZone | undefined {
    const index = this.#findIndex(zone);
    if (index < 0) return undefined;
    const found = { ...this.#zones[index], id: this.ids[index] };
    this.#zones = this.#zones.toSpliced(index, 1);
    this.ids.splice(index, 1);
    return found;
  }

  /** Whether the zone with this path and domain is open. */
  has(zone: Zone): boolean {
    return this.#findIndex(zone) >= 0;
  }

  close(): void {
    for (const { fd } of this.#zones) closeSync(fd);
  }

  #findIndex(zone: Zone): number {
    const wanted = identify(zone);
    return this.#zones.findIndex((one) => identify(one.zone) === wanted);
  }

  /** @returns what went wrong */
  #take({ from, to, counter }: Takeover): readonly Note[] {
    const index = this.#zones.findIndex(({ zone }) => zone === from);
    try {
      const fd = openEnergy(to);
      closeSync(this.#zones[index].fd);
      this.#zones = this.#zones.with(index, { zone: to, fd, counter, hasGap: false, wasRead: false });
      this.ids[index] = createCounterId();
      this.#hasTakenCopy = true;
      return [];
    } catch (error) {
      return [{ level: 'warn', text: `Cannot read ${energyPath(to)}: ${describeError(error)}` }];
    }
  }
}

function readMicrojoules(zone: OpenZone): number {
  const microjoules = parseCounter(text, readFromStart(zone.fd, text));
  zone.hasGap = Number.isNaN(microjoules);
  if (!zone.hasGap) zone.wasRead = true;
  return microjoules;
}

function identify({ path, domain, maxMicrojoules }: Zone): string {
  return [path, nameDomain(domain), maxMicrojoules].join(' ');
}

/** Open zones, and those that cannot be opened. */
export interface OpenedZones {
  readonly reader: EnergyReader;
  readonly group: ZoneGroup;
  readonly failures: readonly ZoneFailure[];
}

/**
 * Opens the counter of every zone that can be read, or else of a copy of it.
 * @param nowMs a clock that never runs backwards
 * @param previous the reader before this one, whose counters continue
 */
export function openZones(
  zones: readonly Zone[],
  nowMs = () => performance.now(),
  previous?: EnergyReader,
): OpenedZones {
  const failures: ZoneFailure[] = [];
  const before = previous?.groups.find((group) => group instanceof ZoneGroup);
  const open = zones.flatMap((zone) => openFirst(zone, failures, before));
  const group = new ZoneGroup(open, nowMs, before);
  return { reader: new EnergyReader('powercap', [group]), group, failures };
}

function openFirst(zone: Zone, failures: ZoneFailure[], previous?: ZoneGroup): readonly IdentifiedZone[] {
  const errors: unknown[] = [];
  const all = listAlternatives(zone);
  // What was read before goes on: where that is a copy, the zone itself stood still or could not be read.
  const kept = all.filter((one) => previous?.has(one) === true);
  // Some files can be opened and read, but hold no number.
  const counting = all.length === 1 ? [] : all.filter(({ path }) => readEnergy(path) !== undefined);
  for (const one of [...kept, ...counting, ...all]) {
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

function openZone(zone: Zone): IdentifiedZone {
  // Where it is polled as often as its range asks for, an outage is all that is longer.
  const counter = new WrappingCounter({ ...zone, outageMs: 0 });
  return { zone, fd: openEnergy(zone), counter, id: createCounterId(), hasGap: false, wasRead: false };
}

/** The descriptor of a zone that was taken away and came back fails for good; its counter may have gone on. */
function reopenZone(before: IdentifiedZone): IdentifiedZone {
  if (!before.hasGap) return before;
  closeSync(before.fd);
  return { ...before, fd: openRegularFile(energyPath(before.zone)) };
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
