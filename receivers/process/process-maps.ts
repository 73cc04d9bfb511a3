import { readFile } from 'node:fs/promises';
import { parseAfter } from './process-io.js';

const sharedCleanLabel = Buffer.from('\nShared_Clean:');
const sharedDirtyLabel = Buffer.from('\nShared_Dirty:');
const proportionalLabel = Buffer.from('\nPss:');

/** The memory that a process shares with others, from `/proc/<pid>/smaps_rollup`. NaN: unknown. */
export class ProcessMaps {
  readonly path: string;
  /** Resident memory that is also mapped by other processes. */
  sharedBytes = NaN;
  /** Resident memory, with each shared page divided by the number of processes that map it. */
  proportionalBytes = NaN;
  /** Whether the values were read since they were last used. */
  isNew = false;
  /** Whether the process has ended. */
  isClosed = false;

  constructor(path: string) {
    this.path = path;
  }

  /** Parses the file. If it has another format, all values are unknown. */
  parse(bytes: Buffer): void {
    this.isNew = true;
    this.proportionalBytes = 1024 * parseAfter(bytes, proportionalLabel);
    this.sharedBytes = 1024 * (parseAfter(bytes, sharedCleanLabel) + parseAfter(bytes, sharedDirtyLabel));
  }
}

/**
 * Reads the maps of processes one after another, off the main thread: the kernel walks all page tables of a
 * process, which takes several milliseconds per gigabyte.
 */
export class MapsReader {
  readonly #waiting = new Set<ProcessMaps>();
  #isReading = false;

  /** Queues a reading. The previous values stay valid until then. */
  request(maps: ProcessMaps): void {
    this.#waiting.add(maps);
    if (!this.#isReading) void this.#readAll();
  }

  close(): void {
    this.#waiting.clear();
  }

  async #readAll(): Promise<void> {
    this.#isReading = true;
    for (const maps of this.#waiting) {
      this.#waiting.delete(maps);
      if (maps.isClosed) continue;
      // Files that are no longer readable, for example after a change of user, have no values.
      const bytes = await readFile(maps.path).catch(() => Buffer.alloc(0));
      maps.parse(bytes);
    }
    this.#isReading = false;
  }
}
