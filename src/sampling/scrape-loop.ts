import type { Context } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import type { Table } from '../model/table.js';

/** A changing set of series read now and then, on the main thread. */
export interface Scraper {
  /**
   * Reads now. A long scrape is a generator that gives one table per part, each row with its true instant: the
   * loop lets others run between parts.
   * @param era differs from the last one when series must end and begin anew (`Clock.checkEra`)
   * @throws Error when the source could not be read: counted, logged when that changes, tried again next time
   */
  scrape(era: number): Iterable<Table>;
}

export interface ScrapeLoop {
  /** Scrapes once more and ends. Safe to call twice. */
  stop(): Promise<void>;
}

export interface ScrapeRequest {
  readonly scraper: Scraper;
  readonly intervalMs: number;
  readonly context: Context;
  readonly next: Consumer;
}
