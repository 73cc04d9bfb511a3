import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import type { Log } from '../../src/component/log.js';
import { describeError } from '../../src/errors.js';
import { slices } from '../../src/linux/slices.js';
import { SheetWriter, type Ended, type SettledWindow } from './audit-sheet.js';

/**
 * Maximum number of pending entries (windows and workloads); beyond it, windows are left out, and the file
 * states how many.
 */
const maxPending = 500_000;
const chunkBytes = 256 * 1024;
const bytesPerMegabyte = 1024 * 1024;

export interface AuditConfig {
  readonly path: string;
  readonly max_megabytes: number;
  readonly max_backups: number;
}

/**
 * The file with the sheets of all windows. The ledger only queues a window; it is formatted and written to disk
 * when the process is otherwise idle. A full or failing disk loses windows of the file, never figures of the
 * ledger.
 */
export class AuditFile {
  readonly #config: AuditConfig;
  readonly #log: Log;
  readonly #writer = new SheetWriter();
  #pending: (SettledWindow | Ended)[] = [];
  #entries = 0;
  /** Windows that were left out after those that are queued. */
  #leftOut = 0;
  /** Windows that are missing before the next line of the file. */
  #missing = 0;
  #file: FileHandle | undefined;
  #size = 0;
  #hasFailed = false;
  #running: Promise<void> | undefined;

  constructor(config: AuditConfig, log: Log) {
    this.#config = config;
    this.#log = log;
  }

  /** Queues a window. */
  add(settled: SettledWindow): void {
    if (this.#entries > maxPending) {
      this.#leftOut += 1;
      return;
    }
    this.#entries += 1 + settled.shares.length;
    this.#pending.push(settled);
    this.#running ??= this.#run();
  }

  /** Forgets workloads and groups once the windows queued so far are written. */
  forget(ended: Ended): void {
    this.#entries += ended.ended.length;
    this.#pending.push(ended);
    this.#running ??= this.#run();
  }

  /** Writes the queued windows and closes the file. */
  async close(): Promise<void> {
    await this.#running;
    if (this.#missing > 0) await this.#writeChunk('', 0);
    await this.#file?.close();
    this.#file = undefined;
  }

  /** Never fails: what cannot be written is counted as missing. */
  async #run(): Promise<void> {
    await slices.letOthersRun();
    while (this.#pending.length > 0) {
      const entries = this.#pending;
      this.#pending = [];
      this.#entries = 0;
      const leftOut = this.#leftOut;
      this.#leftOut = 0;
      await this.#writeAll(entries);
      this.#missing += leftOut;
    }
    this.#running = undefined;
  }

  async #writeAll(entries: readonly (SettledWindow | Ended)[]): Promise<void> {
    let [text, count] = ['', 0];
    for (const entry of entries) {
      if (slices.isOver) await slices.letOthersRun();
      if ('ended' in entry) {
        this.#writer.forget(entry);
        continue;
      }
      text += this.#writer.write(entry);
      count += 1;
      if (text.length < chunkBytes) continue;
      await this.#writeChunk(text, count);
      [text, count] = ['', 0];
    }
    if (count > 0) await this.#writeChunk(text, count);
  }

  async #writeChunk(text: string, count: number): Promise<void> {
    let lost = count;
    try {
      this.#file ??= await this.#open();
      const note = this.#missing > 0 ? `${JSON.stringify({ missing: this.#missing })}\n` : '';
      await this.#append(this.#file, note + text);
      this.#missing = lost = 0;
      if (this.#hasFailed) this.#log.info(`Recovered: ${this.#config.path} is written again`);
      this.#hasFailed = false;
      if (this.#size >= this.#config.max_megabytes * bytesPerMegabyte) await this.#rotate();
    } catch (error) {
      this.#missing += lost;
      // Definitions that first appeared in this text are not in the file.
      this.#writer.restart();
      await this.#file?.close().catch(() => {});
      this.#file = undefined;
      if (!this.#hasFailed) {
        this.#log.warn(
          `Cannot write ${this.#config.path}: ${describeError(error)}; windows are left out until it can be written`,
        );
      }
      this.#hasFailed = true;
    }
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.#config.path, 'a+', 0o600);
    const { size } = await file.stat();
    this.#size = size;
    const last = Buffer.alloc(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    // A crash may have truncated the last line.
    if (size > 0 && last.toString() !== '\n') await this.#append(file, '\n');
    return file;
  }

  /** Appends the whole text or nothing. */
  async #append(file: FileHandle, text: string): Promise<void> {
    const bytes = Buffer.from(text);
    try {
      await file.appendFile(bytes);
    } catch (error) {
      // Only a regular file has a size.
      await file.truncate(this.#size).catch(() => {});
      throw error;
    }
    this.#size += bytes.length;
  }

  /** Keeps the file as the first backup, and shifts the existing backups by one. */
  async #rotate(): Promise<void> {
    const { path, max_backups: backups } = this.#config;
    await this.#file?.close();
    this.#file = undefined;
    this.#writer.restart();
    await rm(`${path}.${backups}`, { force: true });
    for (let number = backups - 1; number >= 0; number--) {
      const from = number === 0 ? path : `${path}.${number}`;
      await rename(from, `${path}.${number + 1}`).catch(ignoreAbsent);
    }
    if (backups === 0) await rm(path, { force: true });
  }
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
