import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '../../src/component/errors.js';
import { parseCounter, readFromStart } from '../../src/linux/sysfs.js';
import type { EnergyReader } from './energy-reader.js';
import type { Zone } from './find-powercap.js';
import { WrappingCounter } from '../../src/sampling/wrapping-counter.js';

/** A zone whose counter is open. */
interface OpenZone {
  readonly fd: number;
  readonly counter: WrappingCounter;
}

// Twenty digits and a line end are the longest text that the kernel writes.
const text = new Uint8Array(32);

/** Reads the powercap tree. */
class PowercapReader implements EnergyReader {
  readonly interface = 'powercap';
  readonly domains;
  readonly #zones: readonly OpenZone[];
  readonly #nowMs: () => number;
  #isSilent = false;

  constructor(zones: readonly Zone[], open: readonly OpenZone[], nowMs: () => number) {
    this.domains = zones.map(({ domain }) => domain);
    this.#zones = open;
    this.#nowMs = nowMs;
  }

  get isSilent(): boolean {
    return this.#isSilent;
  }

  read(values: Float64Array, at: number): boolean {
    const nowMs = this.#nowMs();
    let isKnown = true;
    let isSilent = true;
    let column = at;
    for (const { fd, counter } of this.#zones) {
      const microjoules = parseCounter(text, readFromStart(fd, text));
      if (!Number.isNaN(microjoules)) isSilent = false;
      if (!counter.update(microjoules, nowMs)) isKnown = false;
      values[column++] = counter.joules;
    }
    this.#isSilent = isSilent;
    return isKnown;
  }

  restart(): void {
    for (const { counter } of this.#zones) counter.restart();
  }

  close(): void {
    for (const { fd } of this.#zones) closeSync(fd);
  }
}

/**
 * Opens the counter of every zone.
 * @param nowMs a clock that never runs backwards
 * @throws Error when one cannot be opened, with the system's error as its cause
 */
export function openPowercapReader(zones: readonly Zone[], nowMs = () => performance.now()): EnergyReader {
  const open: OpenZone[] = [];
  try {
    for (const zone of zones) {
      open.push({ fd: openEnergy(zone), counter: new WrappingCounter(zone) });
    }
  } catch (error) {
    for (const { fd } of open) closeSync(fd);
    throw error;
  }
  return new PowercapReader(zones, open, nowMs);
}

function openEnergy(zone: Zone): number {
  const path = join(zone.path, 'energy_uj');
  try {
    return openSync(path, 'r');
  } catch (cause) {
    const found = isForbidden(cause) ? 'EACCES, root or CAP_DAC_READ_SEARCH is wanted' : describeError(cause);
    throw new Error(`Cannot open ${path}: ${found}`, { cause });
  }
}

/** Whether the system refused to open a file to this user. */
export function isForbidden(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EACCES';
}
