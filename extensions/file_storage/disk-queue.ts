import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from '../../src/component/log.js';
import type {
  QueuedRequest,
  QueueStorage,
  StoredBytes,
  StoredRequest,
} from '../../src/component/queue-storage.js';
import { describeCode, findErrorCode } from '../../src/errors.js';
import { runInSlices } from '../../src/linux/slices.js';
import { flush, Segment, type SegmentRecord } from './segment.js';

/** A new file is started at this size. */
const segmentBytes = 16 * 1024 ** 2;

/**
 * Bytes of stored requests that are kept in memory as well, so that they need not be read back while the
 * backend keeps up.
 */
const memoryBytes = 8 * 1024 ** 2;

/** Bytes of requests that are kept in memory only, while the disk does not accept them. */
const unstoredBytes = 64 * 1024 ** 2;

const extension = '.requests';

export interface DiskQueueOptions {
  readonly fsync: boolean;
  readonly maxAgeMs: number | null;
}

/** A request in a file, in memory, or both. */
interface Entry {
  readonly size: number;
  readonly points: number;
  readonly stored: { readonly segment: Segment; readonly record: SegmentRecord } | undefined;
  request: QueuedRequest | undefined;
}

/** The queued requests of one exporter, in the files of one folder. */
export class DiskQueue implements QueueStorage {
  readonly isLasting = true;
  readonly #folder: string;
  readonly #log: Log;
  readonly #options: DiskQueueOptions;
  readonly #entries: Entry[] = [];
  /** Of requests that are queued, and of those that are in memory only. */
  #bytes = 0;
  #points = 0;
  #inMemory = 0;
  #unstored = 0;
  #current: Segment | undefined;
  #next = 0;
  #isFailing = false;
  readonly #unsynced = new Set<Segment>();
  #syncing: Promise<void> | undefined;
  #isSyncing = false;
  /** Why the last flush to the device failed; empty if it did not. */
  #syncProblem = '';

  private constructor(folder: string, log: Log, options: DiskQueueOptions) {
    this.#folder = folder;
    this.#log = log;
    this.#options = options;
  }

  /**
   * Opens the requests in a folder, creating the folder if needed.
   * @throws the system's error
   */
  static async open(folder: string, log: Log, options: DiskQueueOptions): Promise<DiskQueue> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const queue = new DiskQueue(folder, log, options);
    const names = readdirSync(folder).filter((name) => name.endsWith(extension));
    for (const name of names.toSorted()) await queue.#adopt(name);
    // Otherwise a power failure might lose the new folder with what is stored in it.
    if (options.fsync) await flush(dirname(folder));
    return queue;
  }

  get waiting(): QueueStorage['waiting'] {
    return { requests: this.#entries.length, bytes: this.#bytes, points: this.#points };
  }

  append(request: QueuedRequest): boolean {
    const size = request.bytes.length;
    const stored = this.#store(request);
    if (stored === undefined && this.#unstored + size > unstoredBytes) return false;
    const isKept = stored === undefined || this.#inMemory + size <= memoryBytes;
    if (isKept) this.#inMemory += size;
    else request.release?.();
    if (stored === undefined) this.#unstored += size;
    this.#add({ size, points: request.points, stored, request: isKept ? request : undefined });
    return true;
  }

  take(): StoredRequest | undefined {
    const entry = this.#entries.shift();
    if (entry === undefined) return undefined;
    this.#bytes -= entry.size;
    this.#points -= entry.points;
    return new TakenRequest(entry, this.#options.maxAgeMs);
  }

  remove(taken: StoredRequest): void {
    if (!(taken instanceof TakenRequest)) return;
    const { size, stored, request } = taken.entry;
    if (request !== undefined) this.#inMemory -= size;
    if (stored === undefined) this.#unstored -= size;
    else this.#finish(stored.segment, stored.record);
  }

  async close(): Promise<void> {
    this.#entries.length = 0;
    await this.#syncing;
    const current = this.#current;
    this.#current = undefined;
    current?.close();
    if (current?.isDone) this.#delete(current);
  }

  async #adopt(name: string): Promise<void> {
    const segment = new Segment(join(this.#folder, name));
    this.#next = Math.max(this.#next, Number.parseInt(name, 10) + 1);
    const records: SegmentRecord[] = [];
    const { torn, skipped } = await runInSlices(segment.scan(records));
    if (skipped > 0) {
      this.#log.error(
        `Lost what was stored in ${skipped} bytes of ${segment.path}: expected a request, found damaged bytes; the ` +
          'requests after them are sent',
      );
    }
    if (torn > 0) {
      this.#log.warn(
        `Cut ${torn} bytes off ${segment.path}: expected a whole request, found the beginning of one; the ` +
          'process was probably killed while it wrote',
      );
    }
    for (const record of records) {
      const { size, points } = record;
      this.#add({ size, points, stored: { segment, record }, request: undefined });
    }
    if (segment.isDone) this.#delete(segment);
  }

  #add(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entry.size;
    this.#points += entry.points;
  }

  /** @returns undefined when the disk does not accept it */
  #store({ bytes, points }: QueuedRequest): Entry['stored'] {
    try {
      const segment = this.#findSegment(bytes.length);
      const record = segment.append(bytes, points);
      if (this.#isFailing) this.#log.info(`Recovered, storing requests in ${this.#folder} again`);
      this.#isFailing = false;
      if (this.#options.fsync) this.#sync(segment);
      return { segment, record };
    } catch (error) {
      if (!this.#isFailing) {
        this.#log.error(
          `Cannot store a request in ${this.#folder}: ${describeCode(error)}. Keeping up to 64 MiB in memory, which ` +
            'is lost when the process ends',
        );
      }
      this.#isFailing = true;
      return undefined;
    }
  }

  #findSegment(bytes: number): Segment {
    const current = this.#current;
    if (current && (current.size === 0 || current.size + bytes <= segmentBytes)) return current;
    current?.close();
    if (current?.isDone) this.#delete(current);
    const name = `${String(this.#next).padStart(12, '0')}${extension}`;
    this.#next += 1;
    this.#current = new Segment(join(this.#folder, name));
    return this.#current;
  }

  #finish(segment: Segment, record: SegmentRecord): void {
    try {
      if (segment.finish(record) && segment !== this.#current) segment.delete();
    } catch (error) {
      this.#log.warn(
        `Cannot mark a request as done in ${segment.path}: ${describeCode(error)}. It is sent again after the next start`,
      );
    }
  }

  #delete(segment: Segment): void {
    try {
      segment.delete();
    } catch (error) {
      this.#log.warn(`Cannot delete ${segment.path}: ${describeCode(error)}`);
    }
  }

  /** Flushes a file to the device, again if something is stored in it meanwhile. */
  #sync(segment: Segment): void {
    this.#unsynced.add(segment);
    if (this.#isSyncing) return;
    this.#isSyncing = true;
    this.#syncing = this.#syncAll();
  }

  async #syncAll(): Promise<void> {
    // Includes files that are added meanwhile.
    for (const segment of this.#unsynced) {
      this.#unsynced.delete(segment);
      await this.#syncOne(segment);
    }
    this.#isSyncing = false;
  }

  async #syncOne(segment: Segment): Promise<void> {
    try {
      await segment.sync();
      this.#syncProblem = '';
    } catch (error) {
      // A file whose requests are all done was deleted.
      const problem = findErrorCode(error) === 'ENOENT' ? '' : describeCode(error);
      if (problem !== '' && problem !== this.#syncProblem)
        this.#log.error(`Cannot write ${this.#folder} to the device: ${problem}`);
      this.#syncProblem = problem;
    }
  }
}

class TakenRequest implements StoredRequest {
  readonly entry: Entry;
  readonly isExpired: boolean;

  constructor(entry: Entry, maxAgeMs: number | null) {
    this.entry = entry;
    const storedMs = entry.stored?.record.storedMs;
    this.isExpired = maxAgeMs !== null && storedMs !== undefined && Date.now() - storedMs > maxAgeMs;
  }

  get size(): number {
    return this.entry.size;
  }

  get points(): number {
    return this.entry.points;
  }

  load(): QueuedRequest | Promise<StoredBytes> {
    return this.entry.request ?? this.#read();
  }

  async #read(): Promise<StoredBytes> {
    const { stored, points } = this.entry;
    if (stored === undefined)
      throw new Error('Cannot load a request: expected it in memory or in a file, found neither');
    return { bytes: await stored.segment.read(stored.record), points };
  }
}
