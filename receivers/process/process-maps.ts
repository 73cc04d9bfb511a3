import { readFile } from 'node:fs/promises';
import { parseAfter } from './process-io.js';

const sharedCleanLabel = Buffer.from('\nShared_Clean:');
const sharedDirtyLabel = Buffer.from('\nShared_Dirty:');
const proportionalLabel = Buffer.from('\nPss:');

/** The memory that a process shares with others, by `/proc/<pid>/smaps_rollup`. NaN: not known. */
export class ProcessMaps {
  readonly path: string;
  /** Resident memory that others have mapped, too. */
  sharedBytes = NaN;
  /** Resident memory, of which every shared page counts divided by the number of processes that have it mapped. */
  proportionalBytes = NaN;
  /** Whether it was read since its values were taken last. */
  isNew = false;
  /** Of a process that has ended. */
  isClosed = false;

  constructor(path: string) {
    this.path = path;
  }

  /** Takes what the file had; nothing of it where it is another file. */
  parse(bytes: Buffer): void {
    this.isNew = true;
    this.proportionalBytes = 1024 * parseAfter(bytes, proportionalLabel);
    this.sharedBytes = 1024 * (parseAfter(bytes, sharedCleanLabel) + parseAfter(bytes, sharedDirtyLabel));
  }
}

/**
 * Reads the maps of processes one after the other, and not on the main thread: the kernel walks all page tables of a
 * process, which takes some milliseconds for each gigabyte.
 */
export class MapsReader {
  readonly #waiting = new Set<ProcessMaps>();
  #isReading = false;

  /** Reads them when their turn comes; they have their old values until then. */
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
      // What may not be read any more, as after a change of its user, has no values.
      const bytes = await readFile(maps.path).catch(() => Buffer.alloc(0));
      maps.parse(bytes);
    }
    this.#isReading = false;
  }
}
