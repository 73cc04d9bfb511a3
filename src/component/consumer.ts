import type { HistogramTable } from '../model/histogram-table.js';
import type { Table } from '../model/table.js';

/** Takes tables: a processor, an exporter, or the fan-out in front of several of them. */
export interface Consumer {
  /**
   * Takes a table and returns when it has passed every processor and stands in the exporters' queues. Never
   * throws because of data, and never changes the table.
   * @returns false when the table was refused, so that a pushing receiver can answer "try later"
   */
  consume(table: Table): boolean;
  /**
   * The same for histograms. Processors without it see none: the pipeline passes them on unchanged to what is behind the
   * processor. For exporters without it, the pipeline leaves them out, logs a warning and counts them as failed.
   */
  consumeHistograms?(table: HistogramTable): boolean;
}

/**
 * Passes histograms to a consumer.
 * @returns false when they were refused; true when the consumer knows none, since sending them again would change nothing
 */
export function passHistograms(next: Consumer, table: HistogramTable): boolean {
  return next.consumeHistograms?.(table) ?? true;
}
