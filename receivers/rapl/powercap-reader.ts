import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '../../src/component/errors.js';
import { openRegularFile } from '../../src/linux/regular-file.js';
import { parseCounter, readFromStart } from '../../src/linux/sysfs.js';
import { WrappingCounter } from '../../src/sampling/wrapping-counter.js';
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

/** Reads the powercap tree. */
export class PowercapReader implements EnergyReader {
  readonly interface = 'powercap';
  readonly domains;
  readonly sources;
  #zones: readonly OpenZone[];
  readonly #lives: number[];
  readonly #nowMs: () => number;
  #isSilent = false;
  #hasGap = false;

  constructor(zones: readonly OpenZone[], nowMs: () => number) {
    this.domains = zones.map(({ zone }) => zone.domain);
    this.sources = zones.map(({ zone }) => nameFolder(zone.path));
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
        this.restart(column);
        zone.counter.update(microjoules, nowMs);
      }
      values[at + column] = zone.counter.joules;
    }
    this.#isSilent = readings === 0;
    this.#hasGap = readings < this.#zones.length;
    return isSame;
  }

  restart(column: number): void {
    const zone = this.#zones[column];
    zone.counter.restart();
    zone.life = beginLife();
    this.#lives[column] = zone.life;
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
 * Opens the counter of every zone.
 * @param nowMs a clock that never runs backwards
 * @param previous the reader before this one, whose counters go on
 * @throws Error when one cannot be opened, with the system's error as its cause
 */
export function openPowercapReader(
  zones: readonly Zone[],
  nowMs = () => performance.now(),
  previous?: PowercapReader,
): PowercapReader {
  const open: OpenZone[] = [];
  try {
    for (const zone of zones) {
      const before = previous?.release(zone);
      open.push(before ? reopenZone(before) : openZone(zone));
    }
  } catch (error) {
    for (const { fd } of open) closeSync(fd);
    throw error;
  }
  return new PowercapReader(open, nowMs);
}

function openZone(zone: Zone): OpenZone {
  // Where it is polled as often as its range asks for, an outage is all that is longer.
  const counter = new WrappingCounter({ ...zone, outageMs: 0 });
  return { zone, fd: openEnergy(zone), counter, life: beginLife(), hasGap: false };
}

/** The descriptor of a zone that was taken away and came back fails for ever; its counter may have gone on. */
function reopenZone(before: OpenZone): OpenZone {
  if (!before.hasGap) return before;
  closeSync(before.fd);
  return { ...before, fd: openEnergy(before.zone) };
}

function openEnergy(zone: Zone): number {
  const path = join(zone.path, 'energy_uj');
  try {
    return openRegularFile(path);
  } catch (cause) {
    const found = isForbidden(cause) ? 'EACCES, root or CAP_DAC_READ_SEARCH is wanted' : describeError(cause);
    throw new Error(`Cannot open ${path}: ${found}`, { cause });
  }
}

/** Whether the system refused to open a file to this user. */
export function isForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EACCES';
}
