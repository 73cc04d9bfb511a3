import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { ATTR_DISK_IO_DIRECTION, ATTR_SYSTEM_DEVICE } from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric } from '../../src/model/series.js';
import type { CounterColumn } from '../../src/scraping/counter-table.js';
import { Counts } from '../../src/scraping/counts.js';
import { findNextLine } from '../../src/scraping/lines.js';
import type { FileParser } from './file-reader.js';
import { diskOperations, type SharedNames } from './metrics.js';
import { CounterSlot, type Slot, type SlotScope } from './slots.js';

/** Looks up the names of block devices by their numbers. */
export class DeviceNames {
  readonly #sysfs: string;
  readonly #names = new Map<string, string>();

  constructor(sysfs: string) {
    this.#sysfs = sysfs;
  }

  /** @param numbers `254:0` @returns `vda`; the numbers if the device no longer exists */
  nameOf(numbers: string): string {
    const known = this.#names.get(numbers);
    if (known !== undefined) return known;
    const name = this.#read(numbers);
    if (name !== numbers) this.#names.set(numbers, name);
    return name;
  }

  /** Called when a device was removed: another one may get its numbers. */
  forget(numbers: string): void {
    this.#names.delete(numbers);
  }

  #read(numbers: string): string {
    try {
      // In sysfs, a slash in the name of a device is replaced by an exclamation mark.
      return basename(readlinkSync(`${this.#sysfs}/dev/block/${numbers}`)).replaceAll('!', '/');
    } catch {
      return numbers;
    }
  }
}

const directions = ['read', 'write'] as const;

function describeColumns(metrics: readonly Metric[], device: string): readonly CounterColumn[] {
  return metrics.flatMap((metric) =>
    directions.map((direction) => {
      const attributes: Attributes = { [ATTR_DISK_IO_DIRECTION]: direction, [ATTR_SYSTEM_DEVICE]: device };
      return { metric, attributes, perUnit: 1 };
    }),
  );
}

interface Device {
  readonly slot: CounterSlot;
  /** The reading that had it last. */
  seenIn: number;
}

/** The counters of each device in a file that has one or more lines per device. */
class Devices {
  readonly slots: Slot[] = [];
  readonly #byNumbers = new Map<number, Device>();
  readonly #metrics: readonly Metric[];
  readonly #names: DeviceNames;
  #reading = 0;
  #seen = 0;

  constructor(metrics: readonly Metric[], names: DeviceNames) {
    this.#metrics = metrics;
    this.#names = names;
  }

  begin(): void {
    this.#reading++;
    this.#seen = 0;
  }

  /** The file has a line of a device, which may have no numbers. */
  see(device: number): void {
    const known = this.#byNumbers.get(device);
    if (known === undefined || known.seenIn === this.#reading) return;
    known.seenIn = this.#reading;
    this.#seen++;
  }

  update(device: number, counts: Counts, scope: SlotScope): void {
    const { slot } = this.#byNumbers.get(device) ?? this.#add(device);
    slot.update(counts, scope);
  }

  /** Ends the series of devices that were not in the file: they have been removed. */
  finish(scope: SlotScope): void {
    if (this.#seen === this.#byNumbers.size) return;
    for (const [device, { slot, seenIn }] of this.#byNumbers) {
      if (seenIn === this.#reading) continue;
      slot.end(scope);
      this.slots.splice(this.slots.indexOf(slot), 1);
      this.#byNumbers.delete(device);
      this.#names.forget(writeNumbers(device));
    }
  }

  #add(device: number): Device {
    const name = this.#names.nameOf(writeNumbers(device));
    const slot = new CounterSlot(describeColumns(this.#metrics, name));
    const added = { slot, seenIn: this.#reading };
    this.#byNumbers.set(device, added);
    this.slots.push(slot);
    this.#seen++;
    return added;
  }
}

/** MINORBITS of include/linux/kdev_t.h is 20. */
const minors = 2 ** 20;
const colon = 0x3a;
const newline = 0x0a;

function writeNumbers(device: number): string {
  return `${Math.floor(device / minors)}:${device % minors}`;
}

const number = new Counts(1);

/** @returns the index behind the device numbers at the start of a line, which are then in `device`; -1: no device */
function parseDevice(text: Buffer, from: number): number {
  const at = number.parseOne(0, text, from);
  if (at < 0 || text[at] !== colon) return -1;
  const major = number.read(0);
  const end = number.parseOne(0, text, at + 1);
  device = major * minors + number.read(0);
  return end;
}

let device = 0;

const statKeys = ['rbytes=', 'wbytes=', 'rios=', 'wios='];
const statCounts = new Counts(statKeys.length);

/**
 * `io.stat` of version 2: `254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0`; a device without I/O has no
 * numbers.
 */
export function createIoStat(names: SharedNames, deviceNames: DeviceNames): FileParser {
  const devices = new Devices([names.diskIo, diskOperations], deviceNames);
  return {
    file: 'io.stat',
    slots: devices.slots,
    parse(text, length, scope) {
      const whole = text.subarray(0, length);
      devices.begin();
      for (let at = 0; at < length; at = findNextLine(whole, at)) {
        const end = parseDevice(whole, at);
        if (end < 0) continue;
        devices.see(device);
        if (parseKeys(whole, end)) devices.update(device, statCounts, scope);
      }
      if (isWhole(whole)) devices.finish(scope);
      return true;
    },
  };
}

function parseKeys(text: Buffer, from: number): boolean {
  const lineEnd = findNextLine(text, from);
  return statKeys.every((key, i) => {
    const at = text.indexOf(key, from, 'latin1');
    return at >= 0 && at < lineEnd && statCounts.parseOne(i, text, at + key.length) > 0;
  });
}

const readWord = Buffer.from(' Read ');
const writeWord = Buffer.from(' Write ');
const pair = new Counts(2);

/**
 * A file of the version 1 controller blkio: lines `254:0 Read 1`, `254:0 Write 2` and others for each device.
 * @param metric what the file counts
 */
export function createBlkio(file: string, metric: Metric, deviceNames: DeviceNames): FileParser {
  const devices = new Devices([metric], deviceNames);
  return {
    file,
    slots: devices.slots,
    parse(text, length, scope) {
      const whole = text.subarray(0, length);
      devices.begin();
      for (let at = 0; at < length; at = findNextLine(whole, at)) {
        const end = parseDevice(whole, at);
        if (end < 0) continue;
        devices.see(device);
        if (startsWith(whole, end, readWord)) pair.parseOne(0, whole, end + readWord.length);
        if (!startsWith(whole, end, writeWord)) continue;
        pair.parseOne(1, whole, end + writeWord.length);
        devices.update(device, pair, scope);
      }
      if (isWhole(whole)) devices.finish(scope);
      return true;
    },
  };
}

/** Whether the text ends with a line, and is not that of a file which is longer than the buffer. */
function isWhole(text: Buffer): boolean {
  return text.length === 0 || text[text.length - 1] === newline;
}

function startsWith(text: Buffer, at: number, word: Buffer): boolean {
  for (let i = 0; i < word.length; i++) if (text[at + i] !== word[i]) return false;
  return true;
}
