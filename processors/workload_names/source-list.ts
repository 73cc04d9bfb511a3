import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../src/component/log.js';
import type { Answer, Lookup, Names, NameSource } from './lookup.js';

/**
 * Finds sources for some ids, or with none those for the start; sources that were returned before are not
 * returned again.
 */
export type Discover = (lookups: readonly Lookup[]) => readonly RankedSource[];

/** A source and its precedence: where two know the same attribute, the lower rank counts. */
export interface RankedSource {
  readonly rank: number;
  readonly source: NameSource;
}

const nothing: Answer = { names: {}, isCertain: false };

/** Asks all sources that may know an id, and merges their answers. */
export class SourceList implements Names {
  readonly #discover: Discover;
  readonly #log: Log;
  readonly #startWaitMs: number;
  #sources: readonly RankedSource[] = [];

  /** @param startWaitMs time limit for the start */
  constructor(discover: Discover, log: Log, startWaitMs: number) {
    this.#discover = discover;
    this.#log = log;
    this.#startWaitMs = startWaitMs;
  }

  /** Finds the sources, and waits for those that first have to read a list. */
  async start(): Promise<void> {
    this.#find([]);
    const limit = new AbortController();
    const ready = Promise.all(this.#sources.flatMap(({ source }) => source.ready ?? []));
    const timeUp = sleep(this.#startWaitMs, undefined, { signal: limit.signal }).catch(() => undefined);
    await Promise.race([ready, timeUp]);
    limit.abort();
  }

  hold(lookups: readonly Lookup[]): () => void {
    this.#find(lookups);
    const releases = this.#sources.flatMap(({ source }) => source.hold?.() ?? []);
    return () => {
      for (const release of releases) release();
    };
  }

  async find(lookup: Lookup, deadlineMs: number): Promise<Answer> {
    const sources = this.#sources.filter(({ source }) => source.covers(lookup));
    if (sources.length === 0) return nothing;
    const answers = await Promise.all(sources.map(({ source }) => source.find(lookup, deadlineMs)));
    return {
      names: Object.assign({}, ...answers.toReversed()),
      isCertain: answers.every((names) => names !== undefined),
    };
  }

  close(): void {
    for (const { source } of this.#sources) source.close();
  }

  /** A runtime may be started after the collector. */
  #find(lookups: readonly Lookup[]): void {
    const found = this.#discover(lookups);
    if (found.length === 0) return;
    this.#sources = [...this.#sources, ...found].toSorted((a, b) => a.rank - b.rank);
    this.#log.info(`Looking up names in ${found.map(({ source }) => source.title).join(', ')}`);
  }
}
