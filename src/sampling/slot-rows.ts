import type { Sampler } from '../component/sampling.js';
import { WallAnchor, type Continuity } from '../linux/clock.js';
import type { ClockReading } from '../linux/clocks.js';
import { RowBuffer, type Rows } from './row-buffer.js';
import type { Announcement, RowsMessage, SlotCounts } from './thread-connection.js';

export interface RowOptions {
  /** Id of the slot. */
  readonly id: number;
  readonly periodNs: number;
  readonly flushNs: number;
  readClocks(): ClockReading;
}

/**
 * The readings of one sampler on their way to the main thread: rows with their wall time, separately for each
 * generation of columns, with the counts of rows dropped or missed since the last message.
 */
export class SlotRows {
  readonly #options: RowOptions;
  readonly #post: (message: RowsMessage) => boolean;
  #periodNs: number;
  #buffer = new RowBuffer(0, 0);
  #anchor: WallAnchor;
  #generation = 0;
  /** Rows that were taken and not yet sent. */
  #taken: Rows | undefined;
  #announcement: Announcement | undefined;
  #counts = createCounts();

  /** @param post returns false when the main thread is too far behind: the rows were not sent */
  constructor(options: RowOptions, post: (message: RowsMessage) => boolean) {
    this.#options = options;
    this.#periodNs = options.periodNs;
    this.#post = post;
    this.#anchor = new WallAnchor(options.readClocks());
  }

  get isFull(): boolean {
    return this.#buffer.isFull;
  }

  /** When the last row was read, in nanoseconds after `originSecond`. */
  lastNs(): number {
    return this.#buffer.lastNs();
  }

  /** Starts with a sampler that was opened, and the current clocks. */
  begin(sampler: Sampler): void {
    this.#anchor = new WallAnchor(this.#options.readClocks());
    this.#use(sampler);
  }

  /** Starts again with the sampler's current columns. Pending rows are sent. */
  adopt(sampler: Sampler): void {
    this.sendRest();
    this.#use(sampler);
  }

  /** Whether the columns are the sampler's current ones. */
  areOf({ generation }: Sampler): boolean {
    return generation === this.#generation;
  }

  /** Sets another period. Pending rows are sent: the buffer for rows has the size of one flush. */
  setPeriod(periodNs: number): void {
    this.sendRest();
    this.#periodNs = periodNs;
    this.#buffer = this.#createBuffer(this.#buffer.width);
  }

  /** Takes a reading. @throws Error when the sampler cannot be read, or its number of columns is not the stated one */
  read(sampler: Sampler): void {
    const buffer = this.#buffer;
    sampler.read(buffer.values, buffer.valuesAt);
    if (sampler.width !== buffer.width) throw new Error(describeWidth(sampler.width, buffer.width));
    buffer.add();
    if (sampler.generation !== this.#generation) this.#divide(sampler);
  }

  /** Counts a scheduled reading. @param missed ticks since the previous one */
  countTicks(latenessNs: number, missed: number): void {
    const counts = this.#counts;
    if (latenessNs > counts.latenessNs) counts.latenessNs = latenessNs;
    counts.missedTicks += missed;
  }

  /** Allocates the buffer for the rows after the next `take`. */
  prepare(): void {
    this.#buffer.prepare();
  }

  /**
   * Takes all rows, at least one, for `sendTaken`.
   * @returns how the clocks have changed since they were last compared
   */
  take(): Continuity {
    this.sendTaken();
    const reading = this.#options.readClocks();
    const rows = this.#buffer.take(this.#anchor);
    const continuity = this.#anchor.update(reading);
    // Rows around a suspend of the machine have instants as if there had been none: energy used in that time
    // would look like a spike.
    if (continuity === 'suspended') this.#drop(rows);
    else this.#taken = rows;
    return continuity;
  }

  /** Sends the rows that were taken, if there are any. */
  sendTaken(): void {
    const rows = this.#taken;
    this.#taken = undefined;
    if (rows !== undefined) this.#send(rows);
  }

  /** Sends pending rows without comparing the clocks: those from before a failure, or of the previous columns. */
  sendRest(): void {
    this.sendTaken();
    if (this.#buffer.length > 0) this.#send(this.#buffer.take(this.#anchor));
  }

  /** @returns how the clocks have changed since they were last compared */
  compareClocks(): Continuity {
    return this.#anchor.update(this.#options.readClocks());
  }

  /** The last row is the first of a new generation: earlier ones belong to the old columns. */
  #divide(sampler: Sampler): void {
    this.sendTaken();
    if (this.#buffer.length > 1) this.#send(this.#buffer.takeBeforeLast(this.#anchor));
    this.#beginGeneration(sampler);
  }

  #beginGeneration({ generation, columns, columnIds }: Sampler): void {
    this.#generation = generation;
    this.#announcement = { columns, columnIds };
  }

  #use(sampler: Sampler): void {
    this.#buffer = this.#createBuffer(sampler.width);
    this.#beginGeneration(sampler);
  }

  #createBuffer(width: number): RowBuffer {
    return new RowBuffer(width, Math.ceil(this.#options.flushNs / this.#periodNs) + 2);
  }

  #send(rows: Rows): void {
    const { id } = this.#options;
    const announcement = this.#announcement;
    if (announcement !== undefined) announcement.start ??= rows.epoch;
    if (this.#post({ type: 'rows', id, announcement, rows, counts: this.#counts })) {
      this.#announcement = undefined;
      this.#counts = createCounts();
    } else this.#drop(rows);
  }

  #drop(rows: Rows): void {
    this.#counts.droppedRows += rows.offsets.length;
    this.#counts.droppedTables++;
  }
}

function createCounts(): SlotCounts {
  return { missedTicks: 0, latenessNs: 0, droppedRows: 0, droppedTables: 0 };
}

function describeWidth(found: number, wanted: number): string {
  return `Cannot use a reading: expected ${wanted} values until maintain changes that, found ${found}`;
}
