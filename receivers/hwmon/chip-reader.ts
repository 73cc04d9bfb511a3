import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { elementAt } from '../../src/element.js';
import { describeCode, findErrorCode } from '../../src/errors.js';
import { nameErrno } from '../../src/linux/libc.js';
import { parseInteger, readFromStart } from '../../src/linux/sysfs.js';
import { PoolShare } from '../../src/scraping/pool-share.js';
import { waitBriefly } from '../../src/scraping/wait-briefly.js';
import { answerMs, type Channel, type Chip } from './channels.js';

/** How a chip is recognized as slow. */
export interface ChipTiming {
  /**
   * If a channel takes longer than this, the chip is read on Node's thread pool, so as not to block the main
   * thread.
   */
  readonly slowMs: number;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

/** Dependencies of a reader. */
export interface ChipReaderOptions {
  readonly timing?: ChipTiming | undefined;
  readonly pool?: PoolShare;
}

const defaultTiming: ChipTiming = { slowMs: 0.5, nowMs: () => performance.now() };
/**
 * Reading on the pool costs several times as much, and on a busy machine any chip may look slow. After this
 * number of quick readings in a row, a chip is read on the main thread again; the number doubles each time it
 * was slow there, since a driver may answer from a cache in between.
 */
const firstQuickReadings = 4;
/** Files of sysfs hold at most a page; a number is far shorter. */
const buffer = Buffer.allocUnsafeSlow(64);

/** Errors of a sensor that is switched off or has no value: not a failure. */
const silentCodes = new Set(['ENODATA']);
/** The chip or its driver no longer exists. */
const goneCodes = new Set(['ENODEV', 'ENOENT', 'ENXIO', 'ESHUTDOWN']);

/** A file that is kept open. */
interface OpenChannel {
  readonly channel: Channel;
  handle: FileHandle | undefined;
  readonly fault: FileHandle | undefined;
  /** Whether it has ever been read: a file that never could be read is not a failure each time. */
  isProven: boolean;
}

/** Reads the values of one chip. Must be closed. */
export class ChipReader {
  /** One per channel, in the file's unit; NaN: no reading. */
  readonly values: Float64Array;
  /** Why channels that could be read before cannot be read now. */
  problems: string[] = [];
  /** Why channels are left out, each with its path: their files cannot be opened. */
  readonly refused: string[] = [];
  /** Whether the chip no longer exists. */
  isGone = false;
  readonly #products: readonly (readonly [number, number])[];
  #channels: OpenChannel[] = [];
  readonly #timing: ChipTiming;
  readonly #pool: PoolShare;
  #isSlow = false;
  /** Quick readings on the pool in a row, and how many are needed to leave the pool. */
  #quickReadings = 0;
  #neededReadings = firstQuickReadings;
  #pending: Promise<void> | undefined;

  /**
   * @param products pairs of channels, by index, whose product follows the channel values
   * @param pool shared with other chips
   */
  constructor(
    { channels }: Chip,
    products: readonly (readonly [number, number])[],
    { timing = defaultTiming, pool = new PoolShare() }: ChipReaderOptions = {},
  ) {
    this.#timing = timing;
    this.#pool = pool;
    this.values = new Float64Array(channels.length + products.length).fill(NaN);
    this.#products = products;
  }

  /** Opens the files and measures how long a reading takes. A driver that does not answer is not waited for. */
  async open({ channels }: Chip): Promise<void> {
    this.#isSlow = true;
    await waitBriefly([this.#follow(() => this.#openAll(channels))], answerMs);
  }

  async #openAll(channels: readonly Channel[]): Promise<void> {
    for (const channel of channels) {
      const handle = await openFile(channel.path, this.refused);
      const fault =
        channel.faultPath === undefined ? undefined : await openFile(channel.faultPath, this.refused);
      this.#channels.push({ channel, handle, fault, isProven: false });
    }
    const beganMs = this.#timing.nowMs();
    await this.#readOnPool();
    this.#isSlow = this.#wasSlow(beganMs);
  }

  /** Whether an earlier reading is still in progress. */
  get isPending(): boolean {
    return this.#pending !== undefined;
  }

  /**
   * Starts a reading; a chip that answers immediately has been read when this returns.
   * @param begin called when the reading of a chip that does not begins: other chips may be read before it
   */
  read(begin: () => void = () => {}): Promise<void> | undefined {
    this.problems = [];
    if (this.#isSlow) {
      return this.#pending ?? this.#follow(() => this.#readSlowly(begin));
    }
    const beganMs = this.#timing.nowMs();
    for (let i = 0; i < this.#channels.length; i++) this.#readNow(i);
    this.#multiply();
    this.#isSlow = this.#wasSlow(beganMs);
    if (this.#isSlow) this.#neededReadings *= 2;
    return undefined;
  }

  #follow(reading: () => Promise<void>): Promise<void> {
    this.#pending = this.#pool.run(reading).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  /** Reads on the pool, and decides whether that is still necessary. */
  async #readSlowly(begin: () => void): Promise<void> {
    begin();
    const beganMs = this.#timing.nowMs();
    await this.#readOnPool();
    this.#quickReadings = this.#wasSlow(beganMs) ? 0 : this.#quickReadings + 1;
    if (this.#quickReadings < this.#neededReadings) return;
    this.#quickReadings = 0;
    this.#isSlow = false;
  }

  #wasSlow(beganMs: number): boolean {
    const { slowMs, nowMs } = this.#timing;
    return nowMs() - beganMs > slowMs * this.#channels.length;
  }

  /**
   * Closes the files. A reading that hangs in its driver is abandoned: it keeps its thread of the pool, and the
   * files are closed once it has ended.
   */
  async close(): Promise<void> {
    await waitBriefly([this.#closeAll()], answerMs);
  }

  async #closeAll(): Promise<void> {
    await this.#pending;
    const channels = this.#channels;
    this.#channels = [];
    for (const { handle, fault } of channels) {
      await handle?.close();
      await fault?.close();
    }
  }

  #readNow(index: number): void {
    const one = elementAt(this.#channels, index);
    if (one.handle === undefined) return;
    const length = readFromStart(one.handle.fd, buffer);
    if (length < 0) this.#fail(index, one, nameErrno());
    else this.#accept(index, one, parseInteger(buffer, length));
    if (one.fault === undefined) return;
    if (readFromStart(one.fault.fd, buffer) > 0 && buffer[0] === 0x31) this.values[index] = NaN;
  }

  async #readOnPool(): Promise<void> {
    const own = Buffer.allocUnsafe(buffer.length);
    for (const [index, one] of this.#channels.entries()) {
      if (one.handle === undefined) continue;
      try {
        const { bytesRead } = await one.handle.read(own, 0, own.length, 0);
        this.#accept(index, one, parseInteger(own, bytesRead));
        const isFault = one.fault && (await one.fault.read(own, 0, own.length, 0)).bytesRead > 0;
        if (isFault === true && own[0] === 0x31) this.values[index] = NaN;
      } catch (error) {
        this.#fail(index, one, findErrorCode(error) ?? String(error));
      }
    }
    this.#multiply();
  }

  #accept(index: number, one: OpenChannel, value: number): void {
    this.values[index] = value * one.channel.scale;
    if (!Number.isNaN(value)) one.isProven = true;
    else if (one.isProven) this.problems.push(`${one.channel.path}: expected a whole number, found none`);
  }

  #fail(index: number, one: OpenChannel, code: string): void {
    this.values[index] = NaN;
    if (goneCodes.has(code)) this.isGone = true;
    if (one.isProven && !silentCodes.has(code)) this.problems.push(`${one.channel.path}: ${code}`);
  }

  #multiply(): void {
    const { values } = this;
    const first = values.length - this.#products.length;
    for (let i = 0; i < this.#products.length; i++) {
      const [voltage, current] = elementAt(this.#products, i);
      // Millivolts times milliamperes are microwatts.
      values[first + i] = elementAt(values, voltage) * elementAt(values, current);
    }
  }
}

// A FIFO without a writer must not block.
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Undefined: it cannot be opened, and is left out until the next search for chips. */
async function openFile(path: string, refused: string[]): Promise<FileHandle | undefined> {
  try {
    return await open(path, openFlags);
  } catch (error) {
    const code = describeCode(error);
    if (!goneCodes.has(code)) refused.push(`${path}: ${code}`);
    return undefined;
  }
}
