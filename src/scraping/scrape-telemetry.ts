import type { Counter, Histogram } from '@opentelemetry/api';
import type { Context } from '../component/component.js';

export const scrapeDurationName = 'joulemetry.scrape.duration';

const durationBoundariesSeconds = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

/** The metrics of a scrape loop, with the Collector's names where they exist. */
export class ScrapeTelemetry {
  readonly #attributes: { readonly receiver: string; readonly scraper: string };
  readonly #scraped: Counter;
  readonly #errored: Counter;
  readonly #refused: Counter;
  readonly #missed: Counter;
  readonly #duration: Histogram;

  constructor({ id, meter }: Pick<Context, 'id' | 'meter'>) {
    this.#attributes = { receiver: id, scraper: id.split('/', 1)[0] ?? id };
    this.#scraped = meter.createCounter('otelcol_scraper_scraped_metric_points', {
      unit: '{datapoint}',
      description: 'Number of metric points successfully scraped',
    });
    this.#errored = meter.createCounter('otelcol_scraper_errored_metric_points', {
      unit: '{datapoint}',
      description:
        'Number of metric points that were unable to be scraped, by the size of the last good scrape',
    });
    this.#refused = meter.createCounter('joulemetry.scrape.refused', {
      unit: '{table}',
      description: 'Tables of a scrape that the pipeline refused',
    });
    this.#missed = meter.createCounter('joulemetry.scrape.missed', {
      unit: '{scrape}',
      description: 'Scrapes that were skipped because the previous one took longer than the interval',
    });
    this.#duration = meter.createHistogram(scrapeDurationName, {
      unit: 's',
      description: 'Duration of a scrape, including the pipeline that processes its tables',
      advice: { explicitBucketBoundaries: durationBoundariesSeconds },
    });
    this.#errored.add(0, this.#attributes);
    this.#refused.add(0, this.#attributes);
    this.#missed.add(0, this.#attributes);
  }

  /** A scrape took this many seconds and returned this many points, complete or not. */
  scraped(points: number, seconds: number): void {
    this.#scraped.add(points, this.#attributes);
    this.#duration.record(seconds, this.#attributes);
  }

  /** This many points are missing. */
  errored(points: number): void {
    this.#errored.add(points, this.#attributes);
  }

  /** The pipeline refused a table. */
  refused(): void {
    this.#refused.add(1, this.#attributes);
  }

  /** This many ticks passed without a scrape. */
  missed(ticks: number): void {
    if (ticks > 0) this.#missed.add(ticks, this.#attributes);
  }
}
