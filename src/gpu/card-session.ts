import { describeError } from '../errors.js';
import type { BlockingSession } from '../scraping/serve-readings.js';
import type { CardReader } from './card-reader.js';
import { createMissing, findCards, isSuspended, type Card, type CardFamily } from './cards.js';
import { DrmProcesses, type DrmUsage } from './drm-processes.js';
import type { Device, DeviceRow, Note, Reading } from './protocol.js';

/** How often GPUs are searched again. */
const lookAgainAfterMs = 10_000;

/** Options of a thread that reads cards. Plain data. */
export interface CardThreadOptions {
  readonly sysfs: string;
  readonly procfs: string;
  readonly hasProcesses: boolean;
}

/** A kind of cards, and how it is read. */
export interface CardKind extends CardFamily {
  open(card: Card): CardReader;
  /** Messages to log since the last call. */
  takeNotes?(): readonly Note[];
  /** Called when its cards are no longer read. */
  close?(): void;
}

/** Reads the cards of a vendor and the processes that use them. Finds cards that are added or removed. */
export class CardSession implements BlockingSession<Reading> {
  readonly #kind: CardKind;
  readonly #options: CardThreadOptions;
  readonly #nowMs: () => number;
  readonly #processes: DrmProcesses | undefined;
  #readers = new Map<string, CardReader>();
  /** Whether there are cards that were suspended at every search. */
  #hasSleeping = false;
  #lookedMs = 0;
  #isDenied = false;

  /** @param nowMs a monotonic clock */
  constructor(kind: CardKind, options: CardThreadOptions, nowMs = () => performance.now()) {
    this.#kind = kind;
    this.#options = options;
    this.#nowMs = nowMs;
    this.#processes = options.hasProcesses ? new DrmProcesses(options.procfs) : undefined;
  }

  /** @throws Error if there is no card, not even a suspended one */
  open(): Reading {
    const notes = this.#look();
    if (this.#readers.size > 0 || this.#hasSleeping)
      return { devices: this.#devices, rows: [], notes, problems: [], failure: undefined };
    throw createMissing(this.#kind, this.#options.sysfs);
  }

  read(): Reading {
    const isDue = this.#nowMs() - this.#lookedMs >= lookAgainAfterMs;
    const before = [...this.#readers.values()];
    const notes = isDue ? [...this.#look()] : [];
    const devices = isSame(before, [...this.#readers.values()]) ? undefined : this.#devices;
    const problems: string[] = [];
    const usages = this.#readProcesses(notes, problems);
    const rows = [...this.#readers.values()].map((reader) => this.#readCard(reader, usages));
    problems.push(...[...this.#readers.values()].flatMap(({ failures }) => failures));
    return { devices, rows, notes, problems, failure: undefined };
  }

  close(): void {
    for (const reader of this.#readers.values()) reader.close();
    this.#readers.clear();
    this.#kind.close?.();
  }

  get #devices(): readonly Device[] {
    return [...this.#readers.values()].map(({ device }) => device);
  }

  #look(): readonly Note[] {
    this.#lookedMs = this.#nowMs();
    const before = this.#readers;
    this.#readers = new Map();
    const notes: Note[] = [];
    const cards = findCards(this.#options.sysfs, this.#kind.drivers);
    // Detecting the features of a card wakes it up.
    const isKnown = ({ card, address }: Card): boolean => before.get(card)?.card.address === address;
    const awake = cards.filter((card) => isKnown(card) || !isSuspended(card));
    this.#hasSleeping = awake.length < cards.length;
    for (const card of awake) {
      const known = before.get(card.card);
      const reader = known && isKnown(card) ? known : this.#kind.open(card);
      this.#readers.set(card.card, reader);
      if (reader === known) continue;
      notes.push({ level: 'info', text: `Reading "${reader.device.name}" (${card.address})` });
    }
    notes.push(...(this.#kind.takeNotes?.() ?? []));
    for (const [id, reader] of before) if (this.#readers.get(id) !== reader) reader.close();
    return notes;
  }

  #readCard(reader: CardReader, usages: ReadonlyMap<string, DrmUsage>): DeviceRow {
    const { device, card } = reader;
    const all = new Float64Array(device.columns.length).fill(NaN);
    const atNs = process.hrtime.bigint();
    const values = isSuspended(card) || reader.read(all) ? all : undefined;
    const own = usages.get(card.address);
    const usage = own && reader.completeUsage(own.usage, all);
    return { id: device.id, atNs, values, profile: undefined, usage, memory: own?.memory };
  }

  #readProcesses(notes: Note[], problems: string[]): ReadonlyMap<string, DrmUsage> {
    if (this.#processes === undefined) return new Map();
    try {
      const usages = this.#processes.read([...this.#readers.values()].map(({ card }) => card.address));
      if (this.#processes.unreadable > 0 && !this.#isDenied) notes.push(this.#denyOnce());
      return usages;
    } catch (error) {
      problems.push(`Cannot read the processes that use GPUs: ${describeError(error)}`);
      return new Map();
    }
  }

  #denyOnce(): Note {
    this.#isDenied = true;
    const text =
      `Cannot read which GPU ${this.#processes?.unreadable} processes use: expected CAP_SYS_PTRACE, found EACCES; ` +
      'processes of other users are left out';
    return { level: 'warn', text };
  }
}

function isSame(before: readonly CardReader[], now: readonly CardReader[]): boolean {
  return before.length === now.length && before.every((reader, i) => reader === now[i]);
}
