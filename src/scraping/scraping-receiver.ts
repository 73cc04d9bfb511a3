import type { Component, ReceiverContext } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import { startScraping, type ScrapeLoop, type Scraper } from './scrape-loop.js';

/** A scraper that holds files or a thread open. */
export interface OpenScraper extends Scraper {
  close(): void | Promise<void>;
}

/** What a scraping receiver consists of. */
export interface ScrapingReceiverOptions {
  readonly intervalMs: number;
  readonly context: ReceiverContext;
  readonly next: Consumer;
  /**
   * Called at the start.
   * @throws UnavailableError when the source is not here or may not be read
   */
  open(): OpenScraper | Promise<OpenScraper>;
}

/** A receiver that scrapes at each multiple of an interval. */
export function createScrapingReceiver({
  intervalMs,
  context,
  next,
  open,
}: ScrapingReceiverOptions): Component {
  let scraper: OpenScraper | undefined;
  let loop: ScrapeLoop | undefined;
  return {
    async start() {
      scraper = await open();
      loop = startScraping({ scraper, intervalMs, context, next });
    },
    async flush() {
      await loop?.flush();
    },
    async shutdown() {
      await loop?.stop();
      const closing = scraper;
      scraper = undefined;
      await closing?.close();
    },
  };
}
