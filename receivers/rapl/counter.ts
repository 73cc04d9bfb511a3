import type { Series } from '../../src/model/series.js';
import type { CounterHealth, HealthState } from './counter-health.js';
import { nameDomain, nameWhole, renameSeries, type Domain } from './domain.js';

/** A counter and its health, for messages. */
export interface CounterState {
  readonly domain: Domain;
  readonly source: string;
  readonly state: HealthState;
  /** The receiver that publishes the domain instead of this one. */
  readonly owner: string | undefined;
}

interface CounterOptions extends Pick<CounterState, 'domain' | 'source' | 'owner'> {
  /** The zone's folder; empty for perf_event. */
  readonly path: string;
  readonly health: CounterHealth;
}

/**
 * The state of one counter, and how it is published. Its column counts from 0; what is published includes
 * everything that was held back, so that no decision loses or repeats a joule.
 */
export class Counter implements CounterState {
  readonly domain: Domain;
  readonly source: string;
  readonly owner: string | undefined;
  readonly path: string;
  readonly health: CounterHealth;
  /** The value of its column when publishing started; negative if more was held back than it shows. */
  baseJoules = 0;
  #column: Series | undefined;
  #published: Series | undefined;
  #publishedAs = '';
  /** The latest reading of its column. */
  #joules = 0;
  /** The latest published reading of its column. */
  #last: { readonly at: bigint; readonly joules: number } | undefined;
  /** Counts since `start` of ended columns that were not published. */
  #held: { readonly start: bigint; readonly joules: number } | undefined;

  constructor({ domain, source, owner, path, health }: CounterOptions) {
    this.domain = domain;
    this.source = source;
    this.owner = owner;
    this.path = path;
    this.health = health;
  }

  get state(): HealthState {
    return this.health.state;
  }

  /** Whether it should be published. */
  get isShown(): boolean {
    return this.owner === undefined && this.health.isCounting;
  }

  /** The domain that it counts, as far as is known. */
  get shownDomain(): Domain {
    return this.health.isOneOfMany ? nameWhole(this.domain) : this.domain;
  }

  /** The series of its column. */
  get column(): Series | undefined {
    return this.#column;
  }

  /** The published series; undefined: none. */
  get published(): Series | undefined {
    return this.#published;
  }

  /** Starts a column, whose count starts at 0. */
  begin(column: Series): void {
    this.end();
    this.#column = column;
    this.health.restart();
  }

  /** @returns what was published of its column, which has no further rows */
  end(): Series | undefined {
    const published = this.#published;
    if (published === undefined) this.#hold();
    this.#column = undefined;
    this.#published = undefined;
    this.#last = undefined;
    this.#joules = 0;
    return published;
  }

  /** Checks its latest reading. @see CounterHealth.look */
  look(joules: number, packageJoules: number | undefined, nowMs: number): void {
    if (!Number.isNaN(joules)) this.#joules = joules;
    this.health.look(joules, packageJoules, nowMs);
  }

  /** The reading of its column at this instant is published. */
  remember(at: bigint, joules: number): void {
    if (!Number.isNaN(joules)) this.#last = { at, joules };
  }

  /** @returns what is published of this column from now on */
  publish(column: Series): Series {
    return (this.#published ??= this.#createPublished(column));
  }

  /** @returns the series that ends, because the counter is hidden or renamed */
  hide(): Series | undefined {
    const published = this.#published;
    const isSame = this.isShown && this.#publishedAs === nameDomain(this.shownDomain);
    if (published === undefined || isSame) return undefined;
    this.#published = undefined;
    return published;
  }

  #createPublished(column: Series): Series {
    const domain = this.shownDomain;
    const start = this.#held?.start ?? this.#last?.at ?? column.start;
    this.baseJoules = (this.#last?.joules ?? 0) - (this.#held?.joules ?? 0);
    this.#held = undefined;
    this.#publishedAs = nameDomain(domain);
    const isColumn = domain === this.domain && start === column.start;
    return isColumn ? column : renameSeries(column, domain, start);
  }

  /** Keeps the count of its column while it is undecided whether it is published. */
  #hold(): void {
    const unpublished = this.#joules - (this.#last?.joules ?? 0);
    if (this.#column === undefined || unpublished <= 0) return;
    const start = this.#held?.start ?? this.#last?.at ?? this.#column.start;
    this.#held = { start, joules: (this.#held?.joules ?? 0) + unpublished };
  }
}
