import { existsSync, readdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { Log } from '../../src/component/log.js';
import { describeError } from '../../src/errors.js';
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

/** Replaces files that are too large or too old by new ones. */
export class Rotation {
  readonly #config: RotationConfig;
  readonly #log: Log;

  /** @param config null: files are only replaced where they cannot be continued */
  constructor(config: RotationConfig | null, log: Log) {
    this.#config = config ?? never;
    this.#log = log;
  }

  /** Whether a file with content should end before this many further bytes. */
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

  /** A file that cannot be deleted uses space, but is not an error. */
  #prune(path: string): void {
    try {
      pruneBackups(path, this.#config);
    } catch (error) {
      this.#log.warn(`Cannot delete old backups of ${path}: ${describeError(error)}`);
    }
  }
}

/** The backup rules of the Collector's file exporter (names and rules of lumberjack). */
type Rules = Pick<RotationConfig, 'max_backups' | 'max_days' | 'localtime'>;

const dayMs = 86_400_000;

/**
 * Renames a file to a backup: its name gets a timestamp before the extension.
 * @returns the backup's path
 */
function keepAsBackup(path: string, { localtime }: Pick<Rules, 'localtime'>): string {
  let atMs = Date.now();
  while (existsSync(backupPath(path, atMs, localtime))) atMs += 1;
  const backup = backupPath(path, atMs, localtime);
  renameSync(path, backup);
  return backup;
}

/** Deletes excess and expired backups. */
function pruneBackups(path: string, { max_backups: most, max_days: days }: Rules): void {
  const newestFirst = listBackups(path).toReversed();
  const oldestMs = days === 0 ? -Infinity : Date.now() - days * dayMs;
  for (const [i, { backup, atMs }] of newestFirst.entries()) {
    if ((most > 0 && i >= most) || atMs < oldestMs) unlinkSync(backup);
  }
}

interface Backup {
  readonly backup: string;
  readonly atMs: number;
}

/** Oldest first. */
function listBackups(path: string): readonly Backup[] {
  const folder = dirname(path);
  const extension = extname(path);
  const prefix = `${basename(path, extension)}-`;
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && name.endsWith(extension))
    .flatMap((name) => {
      const atMs = parseStamp(name.slice(prefix.length, name.length - extension.length));
      return Number.isNaN(atMs) ? [] : [{ backup: join(folder, name), atMs }];
    })
    .toSorted((a, b) => (a.backup < b.backup ? -1 : 1));
}

function backupPath(path: string, atMs: number, isLocal: boolean): string {
  const extension = extname(path);
  const name = `${basename(path, extension)}-${stampOf(atMs, isLocal)}${extension}`;
  return join(dirname(path), name);
}

/** As in `2022-09-14T05-02-14.173`. */
function stampOf(atMs: number, isLocal: boolean): string {
  const shiftMs = isLocal ? new Date(atMs).getTimezoneOffset() * 60_000 : 0;
  return new Date(atMs - shiftMs).toISOString().slice(0, -1).replaceAll(':', '-');
}

/** A local time is wrong by the offset of its zone, which does not matter for ages in days. NaN: not a timestamp. */
function parseStamp(stamp: string): number {
  const [, date, time] = /^(\d{4}-\d\d-\d\d)T(\d\d-\d\d-\d\d\.\d{3})$/u.exec(stamp) ?? [];
  return date === undefined || time === undefined ? NaN : Date.parse(`${date}T${time.replaceAll('-', ':')}Z`);
}
