import type { Clock } from '../../src/component/clock.js';
import type { Resource } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import type { Config } from './config.js';

/** What one part of the kernel says of the machine. Made when its files can be opened. */
export interface Group {
  /**
   * Reads now.
   * @throws Error when a file cannot be read or parsed
   */
  read(): Table[];
  /** Ends every series: what is read from now on belongs to new ones. */
  restart(at: bigint): Table[];
  close(): void;
}

/** What a group is made with. */
export interface GroupContext {
  readonly config: Config;
  readonly clock: Clock;
  readonly host: Resource;
}
