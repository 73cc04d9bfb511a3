import { rmSync } from 'node:fs';
import { describeError } from '../../src/component/errors.js';
import type { Log } from '../../src/component/log.js';
import { keepAsBackup, pruneBackups } from './backups.js';
import type { RotationConfig } from './config.js';
import type { OutputFile } from './output-file.js';

const bytesPerMegabyte = 1024 * 1024;

const never: RotationConfig = {
  max_megabytes: 0,
  interval: 0,
  max_days: 0,
  max_backups: 0,
  localtime: false,
};

/** Begins new files in the place of those that are too large or too old. */
export class Rotation {
  readonly #config: RotationConfig;
  readonly #log: Log;

  /** @param config null: files only end where they cannot go on */
  constructor(config: RotationConfig | null, log: Log) {
    this.#config = config ?? never;
    this.#log = log;
  }

  /** Whether a file that has something in it should end before so many bytes more. */
  isDue(file: OutputFile, moreBytes: number): boolean {
    const { max_megabytes: megabytes, interval } = this.#config;
    if (!file.isRegular || file.size === 0) return false;
    if (megabytes > 0 && file.size + moreBytes > megabytes * bytesPerMegabyte) return true;
    return interval > 0 && Date.now() - file.beganMs >= interval;
  }

  /** Keeps the file as a backup and opens an empty one in its place. */
  rotate(file: OutputFile): void {
    file.close();
    const backup = keepAsBackup(file.path, this.#config);
    this.#log.debug(`Keeping ${backup}`);
    this.#prune(file.path);
    file.open();
  }

  /** Deletes the file and opens an empty one in its place. */
  replace(file: OutputFile): void {
    file.close();
    rmSync(file.path);
    file.open();
  }

  /** What cannot be deleted takes room, but stops nothing. */
  #prune(path: string): void {
    try {
      pruneBackups(path, this.#config);
    } catch (error) {
      this.#log.warn(`Cannot delete old backups of ${path}: ${describeError(error)}`);
    }
  }
}
