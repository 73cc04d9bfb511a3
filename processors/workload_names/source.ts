import type { Log } from '../../src/component/log.js';
import { letWaitingRun, slices } from '../../src/linux/slices.js';
import type { Attributes } from '../../src/model/series.js';
import { Availability } from './availability.js';
import type { Lookup, NameSource } from './lookup.js';

/** How a runtime or an API is queried for names. */
export interface Backend {
  /** For messages: `Docker (/var/run/docker.sock)`. */
  readonly title: string;
  /** Maximum ids per request. */
  readonly maxBatch: number;
  /** Whether it may know this id. */
  covers(lookup: Lookup): boolean;
  /** Whether an unknown id may become known shortly. */
  mayAppear(lookup: Lookup): boolean;
  /**
   * Requests the names of some ids.
   * @returns for each key the attributes, if the id is known
   * @throws Error with the remedy, when the request fails
   */
  ask(lookups: readonly Lookup[]): Promise<ReadonlyMap<string, Attributes>>;
  close(): void;
}

interface Question {
  readonly lookup: Lookup;
  readonly deadlineMs: number;
  answer(names: Attributes | undefined): void;
}

/** Naming the workloads of this many answers takes a fraction of a millisecond. */
const answersPerStep = 64;

/** Time until an unknown id is requested again. */
const retryMs = 200;

const none: Attributes = {};

/**
 * Sends requests to one backend: one at a time, for all pending ids. After a failure it retries with growing
 * pauses, for those ids whose deadline allows it.
 */
export class Source implements NameSource {
  readonly #backend: Backend;
  readonly #availability: Availability;
  #questions: Question[] = [];
  /** To be requested again: the backend did not know the id, or did not answer. */
  #again: Question[] = [];
  #retry: NodeJS.Timeout | undefined;
  /** Number of callers that will look up further ids. */
  #holds = 0;
  #isAsking = false;
  #isClosed = false;

  constructor(backend: Backend, log: Log) {
    this.#backend = backend;
    this.#availability = new Availability(backend.title, log);
  }

  get title(): string {
    return this.#backend.title;
  }

  covers(lookup: Lookup): boolean {
    return this.#backend.covers(lookup);
  }

  hold(): () => void {
    this.#holds += 1;
    return () => {
      this.#holds -= 1;
      this.#begin();
    };
  }

  find(lookup: Lookup, deadlineMs: number): Promise<Attributes | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    const { leftMs } = this.#availability;
    return new Promise((answer) => {
      const question = { lookup, deadlineMs, answer };
      if (leftMs > 0) return this.#postpone([question], leftMs);
      this.#questions.push(question);
      this.#begin();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#giveUp();
    this.#backend.close();
  }

  #begin(): void {
    if (!this.#isAsking && this.#canAsk) void this.#askAll();
  }

  get #canAsk(): boolean {
    return this.#holds === 0 && this.#questions.length > 0;
  }

  /** Never rejects. */
  async #askAll(): Promise<void> {
    this.#isAsking = true;
    // The ids of one table are requested together.
    await Promise.resolve();
    try {
      while (this.#canAsk) {
        // The last answers may have released tables.
        if (slices.isOver) await slices.letOthersRun();
        await this.#askSome();
      }
    } catch (error) {
      if (!this.#isClosed) this.#availability.failed(error);
      this.#postpone(this.#questions.splice(0), this.#availability.waitMs);
    }
    this.#isAsking = false;
  }

  async #askSome(): Promise<void> {
    const batch = this.#takeBatch();
    if (batch.length === 0) return;
    try {
      const names = await this.#backend.ask(batch.map(({ lookup }) => lookup));
      this.#availability.succeeded();
      await this.#settleAll(batch, names);
    } catch (error) {
      this.#questions.unshift(...batch);
      throw error;
    }
  }

  /** Lookups whose deadline has passed are answered with undefined. */
  #takeBatch(): readonly Question[] {
    const nowMs = performance.now();
    const taken = this.#questions.splice(0, this.#backend.maxBatch);
    for (const { deadlineMs, answer } of taken) if (deadlineMs <= nowMs) answer(undefined);
    return taken.filter(({ deadlineMs }) => deadlineMs > nowMs);
  }

  async #settleAll(batch: readonly Question[], names: ReadonlyMap<string, Attributes>): Promise<void> {
    for (let from = 0; from < batch.length; from += answersPerStep) {
      if (from > 0) await letWaitingRun();
      if (slices.isOver) await slices.letOthersRun();
      for (const question of batch.slice(from, from + answersPerStep))
        this.#settle(question, names.get(question.lookup.key));
    }
  }

  #settle(question: Question, names: Attributes | undefined): void {
    if (names !== undefined || !this.#backend.mayAppear(question.lookup))
      return question.answer(names ?? none);
    this.#postpone([question], retryMs, none);
  }

  /** Retries lookups later whose deadline allows it. @param late the answer to the others */
  #postpone(questions: readonly Question[], afterMs: number, late?: Attributes): void {
    const atMs = performance.now() + afterMs;
    for (const question of questions) {
      if (this.#isClosed || atMs >= question.deadlineMs) question.answer(late);
      else this.#again.push(question);
    }
    if (this.#again.length > 0) this.#retry ??= setTimeout(() => this.#askAgain(), afterMs);
  }

  #askAgain(): void {
    this.#retry = undefined;
    this.#questions.push(...this.#again.splice(0));
    this.#begin();
  }

  #giveUp(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const questions = [...this.#questions.splice(0), ...this.#again.splice(0)];
    for (const { answer } of questions) answer(undefined);
  }
}
