import type { Log } from '../../src/component/log.js';
import type { Attributes } from '../../src/model/series.js';
import { Availability } from './availability.js';
import type { Lookup, NameSource } from './lookup.js';

/** How a runtime or an API is asked for names. */
export interface Backend {
  /** For messages: `Docker (/var/run/docker.sock)`. */
  readonly title: string;
  /** Maximum ids per request. */
  readonly maxBatch: number;
  /** Whether it may know this id. */
  covers(lookup: Lookup): boolean;
  /** Whether an id that it does not know may be known a moment later. */
  mayAppear(lookup: Lookup): boolean;
  /**
   * Asks for the names of some ids.
   * @returns for each key the attributes, where it knows the id
   * @throws Error with the remedy, when it cannot be asked
   */
  ask(lookups: readonly Lookup[]): Promise<ReadonlyMap<string, Attributes>>;
  close(): void;
}

interface Question {
  readonly lookup: Lookup;
  readonly deadlineMs: number;
  answer(names: Attributes | undefined): void;
}

/** After what time an id that was not known is asked for again. */
const retryMs = 200;

const none: Attributes = {};

/** Asks one backend: one request at a time, for all ids that wait; not while it has just failed. */
export class Source implements NameSource {
  readonly #backend: Backend;
  readonly #availability: Availability;
  #questions: Question[] = [];
  /** To be asked again. */
  #unknown: Question[] = [];
  #retry: NodeJS.Timeout | undefined;
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

  find(lookup: Lookup, deadlineMs: number): Promise<Attributes | undefined> {
    if (this.#isClosed || this.#availability.leftMs > 0) return Promise.resolve(undefined);
    return new Promise((answer) => {
      this.#questions.push({ lookup, deadlineMs, answer });
      this.#begin();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#giveUp();
    this.#backend.close();
  }

  #begin(): void {
    if (!this.#isAsking) void this.#askAll();
  }

  /** Never rejects. */
  async #askAll(): Promise<void> {
    this.#isAsking = true;
    // The ids of one table are asked for together.
    await Promise.resolve();
    try {
      while (this.#questions.length > 0) await this.#askSome();
    } catch (error) {
      if (!this.#isClosed) this.#availability.failed(error);
      this.#giveUp();
    }
    this.#isAsking = false;
  }

  async #askSome(): Promise<void> {
    const batch = this.#takeBatch();
    if (batch.length === 0) return;
    try {
      const names = await this.#backend.ask(batch.map(({ lookup }) => lookup));
      this.#availability.succeeded();
      for (const question of batch) this.#settle(question, names.get(question.lookup.key));
    } catch (error) {
      for (const { answer } of batch) answer(undefined);
      throw error;
    }
  }

  /** What is not answered in time needs no answer any more. */
  #takeBatch(): readonly Question[] {
    const nowMs = performance.now();
    const taken = this.#questions.splice(0, this.#backend.maxBatch);
    for (const { deadlineMs, answer } of taken) if (deadlineMs <= nowMs) answer(undefined);
    return taken.filter(({ deadlineMs }) => deadlineMs > nowMs);
  }

  #settle(question: Question, names: Attributes | undefined): void {
    const isInTime = performance.now() + retryMs < question.deadlineMs;
    const canRepeat = isInTime && !this.#isClosed && this.#backend.mayAppear(question.lookup);
    if (names !== undefined || !canRepeat) {
      question.answer(names ?? none);
      return;
    }
    this.#unknown.push(question);
    this.#retry ??= setTimeout(() => this.#askAgain(), retryMs);
  }

  #askAgain(): void {
    this.#retry = undefined;
    this.#questions.push(...this.#unknown.splice(0));
    this.#begin();
  }

  #giveUp(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const questions = [...this.#questions.splice(0), ...this.#unknown.splice(0)];
    for (const { answer } of questions) answer(undefined);
  }
}
