import type { Clock } from '../../src/component/clock.js';
import type { Log } from '../../src/component/log.js';
import type { Resource } from '../../src/model/series.js';
import { describeError } from '../../src/component/errors.js';
import { isAbsent } from '../../src/linux/kept-file.js';
import type { Table } from '../../src/model/table.js';
import type { Config } from './config.js';

/** What one part of the kernel says of the machine. Made when its files can be opened. */
export interface Group {
  /**
   * Reads now.
   * @throws Error when no file can be read and parsed, `PartialReadError` when only some can
   */
  read(): Table[];
  /** What the kernel does not have of it, found by the last reading: errors for people. */
  readonly absent?: readonly string[];
  /** Ends every series: what is read from now on belongs to new ones. */
  restart(at: bigint): Table[];
  close(): void;
}

/** What a group is made with. */
export interface GroupContext {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly host: Resource;
}

/** Some files of a group could not be read or parsed. */
export class PartialReadError extends Error {
  override readonly name = 'PartialReadError';
  /** What the others gave. */
  readonly tables: readonly Table[];

  constructor(message: string, tables: readonly Table[]) {
    super(message);
    this.tables = tables;
  }
}

/** What came of reading the files of a group one by one. */
export interface PartsRead {
  /** Errors of files that this kernel does not have. */
  readonly absent: readonly string[];
  /** Errors of files that could not be read although they are there. */
  readonly failed: readonly string[];
}

/**
 * Reads parts of a group, each on its own: one that fails does not hide the others.
 * @throws Error of the first, when all fail
 */
export function readParts(parts: readonly (() => void)[]): PartsRead {
  const absent: string[] = [];
  const failed: string[] = [];
  let first: unknown;
  for (const part of parts) {
    try {
      part();
    } catch (error) {
      first ??= error;
      (isAbsent(error) ? absent : failed).push(describeError(error));
    }
  }
  if (absent.length + failed.length === parts.length) throw first;
  return { absent, failed };
}
