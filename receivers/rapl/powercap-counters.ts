import { WrappingCounter } from '../../src/energy/wrapping-counter.js';
import { describeError } from '../../src/errors.js';
import { CounterFile } from '../../src/linux/counter-file.js';
import { readRegularText } from '../../src/linux/regular-file.js';
import { CopyWatch, type Takeover } from './copy-watch.js';
import { nameDomain, type LeftOut, type Note } from './domain.js';
import { createCounterId, EnergyReader, type CounterGroup, type CounterPlace } from './energy-reader.js';
import { energyPath, nameFolder, readEnergy, type Zone } from './find-powercap.js';

/** A zone whose counter is open. */
interface OpenZone {
  readonly zone: Zone;
  readonly file: CounterFile;
  readonly counter: WrappingCounter;
  /** Since the first reading, as of the last. */
  joules: number;
  /** Whether the last reading failed. */
  hasGap: boolean;
  /** Whether there was a reading since the copies were last compared. */
  wasRead: boolean;
}

interface IdentifiedZone extends OpenZone {
  readonly id: number;
}

/** A zone whose counter cannot be opened or read. */
export interface ZoneFailure {
  readonly zone: Zone;
  /** Error of the system. */
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
   * @param nowMs a monotonic clock
   * @param previous the zones that were read before, some of which are kept
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
      const isRepeated = zone.file.repeats() && zone.counter.repeat(nowMs);
      if (!isRepeated && !takeCount(zone, nowMs)) {
        isSame = false;
        this.ids[index] = createCounterId();
      }
      if (zone.hasGap) gaps++;
      else zone.wasRead = true;
      values[at + index] = zone.joules;
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

  /** Transfers the zone with this path and domain. */
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
    for (const { file } of this.#zones) file.close();
  }

  #findIndex(zone: Zone): number {
    const wanted = identify(zone);
    return this.#zones.findIndex((one) => identify(one.zone) === wanted);
  }

  /** @returns the problem, if any */
  #take({ from, to, counter }: Takeover): readonly Note[] {
    const index = this.#zones.findIndex(({ zone }) => zone === from);
    try {
      const opened = openZone(to, counter);
      this.#zones[index].file.close();
      this.#zones = this.#zones.with(index, opened);
      this.ids[index] = opened.id;
      this.#hasTakenCopy = true;
      return [];
    } catch (error) {
      return [{ level: 'warn', text: `Cannot read ${energyPath(to)}: ${describeError(error)}` }];
    }
  }
}

/** @returns false when the counter was reset */
function takeCount(zone: OpenZone, nowMs: number): boolean {
  const microjoules = zone.file.count;
  zone.hasGap = Number.isNaN(microjoules);
  const isContinued = zone.counter.update(microjoules, nowMs);
  zone.joules = zone.counter.joules;
  return isContinued;
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
 * Opens the counter of every readable zone, or else of a copy of it.
 * @param nowMs a monotonic clock
 * @param previous the previous reader, whose counters continue
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
  // Zones that were read before are kept; if that was a copy, the zone itself did not change or could not be
  // read.
  const kept = all.filter((one) => previous?.has(one) === true);
  // Some files can be opened and read, but contain no number.
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

/** The zone and each of its copies as the zone to read, with the others as its copies. */
function listAlternatives(zone: Zone): readonly Zone[] {
  const all = [zone, ...zone.copies];
  return all.map((one) => withCopies(one, zone, all));
}

function withCopies(one: Zone, { domain }: Zone, all: readonly Zone[]): Zone {
  return { ...one, domain, copies: all.filter((other) => other !== one) };
}

// With polling as frequent as its range requires, any longer interval is an outage.
function openZone(zone: Zone, counter = new WrappingCounter({ ...zone, outageMs: 0 })): IdentifiedZone {
  const file = openEnergy(zone);
  return { zone, file, counter, id: createCounterId(), joules: NaN, hasGap: false, wasRead: false };
}

/** The descriptor of a zone that was removed and added again fails permanently; its counter may have continued. */
function reopenZone(before: IdentifiedZone): IdentifiedZone {
  if (!before.hasGap) return before;
  before.file.close();
  return { ...before, file: new CounterFile(energyPath(before.zone)) };
}

/** @throws Error of the system when it cannot be opened, or every read fails: virtual machines have such zones */
function openEnergy(zone: Zone): CounterFile {
  const file = new CounterFile(energyPath(zone));
  try {
    file.requireReadable();
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Why a zone has no reading, as far as its file shows; a counter of perf_event has an empty path. */
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
    openEnergy(zone).close();
    return true;
  } catch {
    return false;
  }
}
