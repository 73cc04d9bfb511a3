import type { ReceiverContext } from '../../src/component/component.js';
import { addLoginRemedy, ChallengedClient } from '../../src/http/challenged-client.js';
import { createEnding, type Table } from '../../src/model/table.js';
import { claimHost } from '../../src/scraping/meter-receiver.js';
import type { PollingTarget } from '../../src/scraping/polling-target.js';
import type { Config, Endpoint } from './config.js';
import { MeterPoints } from './meter-points.js';
import { parsePoints, type Point } from './points.js';

/** How far back the first request goes, and the maximum time span of a request. */
const maxPageNs = 60_000_000_000n;
/** The time span of the first request, and the minimum. */
const firstPageNs = 10_000_000_000n;
const minPageNs = 1_000_000_000n;
/**
 * Target number of points per request, which take 2 to 5 ms to parse: the time span of the next request is
 * adapted to it.
 */
const pointsPerPage = 400;
/** Maximum pages per reading, also after an outage. */
const maxPages = 10;
/** Maximum age of requested points, after an outage. */
const maxAgeNs = 3_600_000_000_000n;
const maxBytes = 4 * 1024 * 1024;

/** A site that is polled for the points since the last request. */
export class KwollectTarget implements PollingTarget {
  readonly name: string;
  readonly #endpoint: Endpoint;
  readonly #client: ChallengedClient;
  readonly #clock: ReceiverContext['clock'];
  readonly #delayNs: bigint;
  readonly #options: ConstructorParameters<typeof MeterPoints>[1];
  readonly #place: ReceiverContext['claims']['place'];
  readonly #meters = new Map<string, MeterPoints>();
  #pageNs = firstPageNs;
  /** Unix time in nanoseconds up to which points were requested. */
  #from: bigint | undefined;

  constructor(endpoint: Endpoint, config: Config, context: ReceiverContext) {
    const { clock, log, host, claims } = context;
    this.#place = (place) => claims.place(place);
    this.#client = new ChallengedClient(new URL(endpoint.endpoint), config, log);
    this.name = this.#client.target;
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#delayNs = BigInt(Math.round(config.delay * 1e6));
    const isHost = endpoint.measures === 'host' && claimHost(this.name, context);
    this.#options = { resource: host, isHost, maxGapMs: config.max_gap };
  }

  async read(signal: AbortSignal): Promise<Iterable<Table>> {
    const until = this.#clock.wallNs() - this.#delayNs;
    const pages: (readonly Point[])[] = [];
    let from = this.#findStart(until);
    for (let page = 0; page < maxPages && from < until; page++) {
      const to = from + this.#pageNs < until ? from + this.#pageNs : until;
      const points = await this.#ask(from, to, signal);
      pages.push(points);
      this.#adaptPage(points.length);
      from = to;
    }
    this.#from = from;
    return this.#publishAll(pages);
  }

  /** Points have instants of their own, so that a failure is not a gap: they may still be received later. */
  publishFailure(): readonly Table[] {
    return [];
  }

  restart(at: bigint): readonly Table[] {
    const ended = [...this.#meters.values()].flatMap(({ series }) => series);
    this.#meters.clear();
    return ended.length === 0 ? [] : [createEnding(ended, at)];
  }

  close(): void {
    this.#client.close();
  }

  #findStart(until: bigint): bigint {
    const from = this.#from ?? until - maxPageNs;
    return from < until - maxAgeNs ? until - maxAgeNs : from;
  }

  #adaptPage(points: number): void {
    const pageNs =
      points > pointsPerPage
        ? this.#pageNs / 2n
        : points < pointsPerPage / 4
          ? this.#pageNs * 2n
          : this.#pageNs;
    this.#pageNs = pageNs < minPageNs ? minPageNs : pageNs > maxPageNs ? maxPageNs : pageNs;
  }

  async #ask(from: bigint, to: bigint, signal: AbortSignal): Promise<readonly Point[]> {
    const { nodes, metrics } = this.#endpoint;
    const query = new URLSearchParams({
      nodes: nodes.join(','),
      metrics: metrics.join(','),
      start_time: formatInstant(from),
      end_time: formatInstant(to),
    });
    try {
      return parsePoints(await this.#client.getText(`/metrics?${query.toString()}`, { signal, maxBytes }));
    } catch (error) {
      throw addLoginRemedy(
        error,
        'set credentials.username and credentials.password_file to those of the site',
      );
    }
  }

  /** One page at a time, so that other work runs in between. */
  *#publishAll(pages: readonly (readonly Point[])[]): Generator<Table> {
    for (const page of pages) yield* this.#publish(page);
  }

  #add(first: Point): void {
    const { id } = first;
    const meter = new MeterPoints(first, this.#options);
    if (meter.isOfHost) this.#place({ id, key: 'host' });
    this.#meters.set(id, meter);
  }

  *#publish(points: readonly Point[]): Generator<Table> {
    const byMeter = new Map<string, Point[]>();
    for (const point of points) {
      const { id } = point;
      if (!this.#meters.has(id)) this.#add(point);
      const own = byMeter.get(id);
      if (own === undefined) byMeter.set(id, [point]);
      else own.push(point);
    }
    for (const [id, own] of byMeter) yield* this.#meters.get(id)?.take(own) ?? [];
  }
}

/** To the microsecond, like the API's instants. */
function formatInstant(ns: bigint): string {
  const micros = String((ns / 1000n) % 1_000_000n).padStart(6, '0');
  return new Date(Number(ns / 1_000_000n)).toISOString().replace(/\.\d+Z$/u, `.${micros}Z`);
}
