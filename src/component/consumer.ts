import type { HistogramTable } from '../model/histogram-table.js';
import type { Table } from '../model/table.js';

/** Accepts tables: a processor, an exporter, or the fan-out to several of them. */
export interface Consumer {
  /**
   * Accepts a table and returns when it has passed every processor and is in the exporters' queues. Never
   * throws because of data, and never changes the table.
   * @returns false when the table was refused, so that a receiver can answer its sender "try later"
   */
  consume(table: Table): boolean;
  /**
   * The same for histograms. Processors without this method see none: the pipeline passes them around the
   * processor unchanged. For exporters without it, the pipeline drops them, logs a warning and counts them as
   * failed.
   */
  consumeHistograms?(table: HistogramTable): boolean;
}

/**
 * Passes histograms to a consumer.
 * @returns false when they were refused; true when the consumer does not support them, since sending them again
 * would not help
 */
export function passHistograms(next: Consumer, table: HistogramTable): boolean {
  return next.consumeHistograms?.(table) ?? true;
}
