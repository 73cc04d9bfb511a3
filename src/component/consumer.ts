import type { Table } from '../model/table.js';

/** Takes tables: a processor, an exporter, or the fan-out in front of several of them. */
export interface Consumer {
  /**
   * Takes a table and returns when it has passed every processor and stands in the exporters' queues. Never
   * throws because of data, and never changes the table.
   * @returns false when the table was refused, so that a pushing receiver can answer "try later"
   */
  consume(table: Table): boolean;
}
