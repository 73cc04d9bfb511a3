import { describeError } from '../../src/errors.js';
import type { Device, DeviceRow, Note, Reading } from '../../src/gpu/protocol.js';
import type { BlockingSession } from '../../src/scraping/serve-readings.js';
import { createLostRow, describeLost, type DeviceReader } from './device-reader.js';
import { OpenNvml } from './open-nvml.js';
import type { ThreadOptions } from './thread-options.js';

/** Interval at which added and removed GPUs and MIG instances are detected. */
const lookAgainAfterMs = 10_000;
const firstRetryMs = 1_000;
const maxRetryMs = 60_000;

/** Reads all devices periodically, and reopens the library after a loss, a reset or a reload of the driver. */
export class Session implements BlockingSession<Reading> {
  readonly #options: ThreadOptions;
  readonly #nowMs: () => number;
  #open: OpenNvml | undefined;
  /** Devices that were lost. They are kept until the library is opened without an error. */
  #lost = new Map<string, Device>();
  #devices: readonly Device[] = [];
  #lookedMs = 0;
  #retryMs = Infinity;
  #waitMs = firstRetryMs;
  #openedMs = 0;
  #failure: string | undefined;
  /** The last logged reasons why GPUs cannot be read. */
  #unreadable: readonly string[] = [];

  /** @param nowMs a monotonic clock */
  constructor(options: ThreadOptions, nowMs = () => performance.now()) {
    this.#options = options;
    this.#nowMs = nowMs;
  }

  /**
   * Opens the library for the first time.
   * @throws Error if no device can be read
   */
  open(): Reading {
    const opened = new OpenNvml(this.#options);
    if (opened.readers.length === 0) {
      opened.close();
      throw new Error(opened.unreadable.length > 0 ? opened.unreadable.join('; ') : 'NVML knows no GPU');
    }
    const notes = this.#adopt(opened);
    return { devices: this.#devices, rows: [], notes, problems: [], failure: undefined };
  }

  read(): Reading {
    const nowMs = this.#nowMs();
    const before = this.#devices;
    const notes: Note[] = [];
    // A GPU that is lost again and again is opened ever less often.
    if (this.#retryMs === Infinity && nowMs - this.#openedMs >= this.#waitMs) this.#waitMs = firstRetryMs;
    if (nowMs >= this.#retryMs || this.#isOutdated(nowMs)) notes.push(...this.#openAgain());
    const problems: string[] = [];
    const rows =
      this.#open?.read((reader, hasProfile) => {
        const row = this.#readDevice(reader, hasProfile, notes);
        problems.push(...reader.problems);
        return row;
      }) ?? [];
    problems.push(...[...this.#lost.values()].map(describeLost));
    const atNs = process.hrtime.bigint();
    const lost = [...this.#lost.keys()].map((id) => createLostRow(id, atNs));
    const devices = this.#devices === before ? undefined : this.#devices;
    return { devices, rows: [...rows, ...lost], notes, problems, failure: this.#failure };
  }

  close(): void {
    this.#open?.close();
    this.#open = undefined;
  }

  #readDevice(reader: DeviceReader, hasProfile: boolean, notes: Note[]): DeviceRow {
    const { id, name } = reader.device;
    if (reader.lostBy !== undefined) return createLostRow(id, process.hrtime.bigint());
    const row = reader.read(hasProfile);
    // `read` may have set it.
    const lostBy = reader.lostBy as string | undefined;
    if (lostBy !== undefined) {
      notes.push({ level: 'warn', text: `Lost "${name}" (${id}): ${lostBy}` });
      this.#retryLater();
    }
    return row;
  }

  #isOutdated(nowMs: number): boolean {
    if (this.#open === undefined || nowMs - this.#lookedMs < lookAgainAfterMs) return false;
    this.#lookedMs = nowMs;
    return this.#open.hasChanged();
  }

  #openAgain(): readonly Note[] {
    const before = this.#devices;
    const open = this.#open;
    this.#retryMs = Infinity;
    this.close();
    try {
      const opened = new OpenNvml(this.#options);
      if (open) opened.continueFrom(open);
      return this.#adopt(opened, before);
    } catch (error) {
      const failure = describeError(error);
      const isNew = failure !== this.#failure;
      this.#failure = failure;
      for (const device of before) if (device.parent === undefined) this.#lost.set(device.id, device);
      this.#devices = [...this.#lost.values()];
      this.#retryLater();
      return isNew ? [{ level: 'warn', text: `Continuing without GPUs: ${failure}` }] : [];
    }
  }

  #adopt(opened: OpenNvml, before: readonly Device[] = []): readonly Note[] {
    this.#open = opened;
    this.#failure = undefined;
    this.#openedMs = this.#nowMs();
    this.#lookedMs = this.#openedMs;
    const found = opened.readers.map(({ device }) => device);
    const ids = new Set(found.map(({ id }) => id));
    // If a GPU cannot be opened, it may be the missing one; otherwise the missing GPU was removed.
    const missing = opened.unreadable.length > 0 ? before.filter(({ id }) => !ids.has(id)) : [];
    this.#lost = new Map(missing.filter(({ parent }) => parent === undefined).map((one) => [one.id, one]));
    this.#devices = [...found, ...this.#lost.values()];
    if (this.#lost.size > 0 || opened.mayRecover) this.#retryLater();
    return [
      ...opened.notes,
      ...this.#noteUnreadable(opened.unreadable),
      ...found
        .filter(({ id }) => !before.some((one) => one.id === id))
        .map(({ name, id }): Note => ({ level: 'info', text: `Reading "${name}" (${id})` })),
    ];
  }

  #noteUnreadable(unreadable: readonly string[]): readonly Note[] {
    const known = this.#unreadable;
    this.#unreadable = unreadable;
    return unreadable.filter((text) => !known.includes(text)).map((text) => ({ level: 'warn', text }));
  }

  /** Several devices may be lost at once, such as a GPU and its instances. */
  #retryLater(): void {
    if (this.#retryMs !== Infinity) return;
    this.#retryMs = this.#nowMs() + this.#waitMs;
    this.#waitMs = Math.min(2 * this.#waitMs, maxRetryMs);
  }
}
