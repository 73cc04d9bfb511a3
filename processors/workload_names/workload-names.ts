import type { ConsumingComponent } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { runInSlices, slices } from '../../src/linux/slices.js';
import type { Series } from '../../src/model/series.js';
import { countPoints, type Table } from '../../src/model/table.js';
import { Decisions, type Decision } from './decisions.js';
import type { Answer, Names } from './lookup.js';
import { NamedSeries } from './named-series.js';

/** The result for an id, for own telemetry. */
export type Outcome = 'named' | 'unknown' | 'unanswered';

export interface HoldOptions {
  /** How long a table may be held. */
  readonly maxWaitMs: number;
  /** Maximum number of points that may be held; with more, answers are no longer awaited. */
  readonly maxHeldPoints: number;
  readonly onDecision: (outcome: Outcome) => void;
  /** A monotonic clock. */
  readonly nowMs?: () => number;
}

/** A table that is held. */
interface HeldTable {
  readonly table: Table;
  /** Number of its ids without a decision, plus one until its ids are known. */
  undecided: number;
}

/** Processing or naming this many new series takes a fraction of a millisecond. */
const seriesPerStep = 64;

const uncertain: Answer = { names: {}, isCertain: false };

/**
 * Adds names to resources that have ids. A table with a new id is held, with all later ones, until the id's
 * names are known or the time limit is exceeded: the result then stays the same while a live series has the id,
 * so that no series changes its resource.
 */
export class WorkloadNames implements ConsumingComponent {
  readonly #names: Names;
  readonly #options: HoldOptions;
  readonly #next: Consumer;
  readonly #decisions: Decisions;
  readonly #series: NamedSeries;
  readonly #held: HeldTable[] = [];
  /** Tables whose ids are being determined. */
  readonly #lookUps = new Set<Generator<void, void>>();
  #heldPoints = 0;
  #isDraining = false;
  /** Pending lookups, and the tables that wait for them. */
  readonly #waiting = new Map<Decision, Set<HeldTable>>();
  readonly #deadlines = new Set<NodeJS.Timeout>();

  constructor(names: Names, options: HoldOptions, next: Consumer) {
    this.#names = names;
    this.#options = options;
    this.#next = next;
    this.#decisions = new Decisions(options.nowMs ?? (() => performance.now()));
    this.#series = new NamedSeries(this.#decisions);
  }

  /** Number of known ids, for tests of leaks. */
  get size(): number {
    return this.#decisions.size;
  }

  start(): void | Promise<void> {
    return this.#names.start();
  }

  consume(table: Table): boolean {
    if (this.#held.length > 0) return this.#hold(table);
    this.#decisions.sweep();
    if (this.#series.hasPlan(table.series)) return this.#forward(table);
    return this.#hold(table);
  }

  shutdown(): void {
    this.#names.close();
    this.#releaseAll();
    for (const deadline of this.#deadlines) clearTimeout(deadline);
    this.#deadlines.clear();
  }

  /** @returns whether it was accepted: a table that has to wait always is */
  #hold(table: Table): boolean {
    const held = { table, undecided: 1 };
    const lookUp = this.#lookUp(held);
    const isLong = this.#isLong(table);
    if (!isLong) for (const _ of lookUp);
    if (this.#held.length === 0 && held.undecided === 0) return this.#forward(table);
    this.#held.push(held);
    this.#heldPoints += weigh(table);
    if (isLong) this.#lookUps.add(lookUp);
    if (this.#heldPoints > this.#options.maxHeldPoints) this.#releaseAll();
    else if (isLong) void this.#finishLookUp(lookUp);
    return true;
  }

  /** Whether processing its series takes long enough to yield to other work, because many are new. */
  #isLong({ series }: Table): boolean {
    return series.length > seriesPerStep && !this.#series.hasPlan(series);
  }

  /** Never rejects. */
  async #finishLookUp(lookUp: Generator<void, void>): Promise<void> {
    await runInSlices(lookUp);
    this.#lookUps.delete(lookUp);
    if (!this.#isDraining) await this.#drain();
  }

  /**
   * Starts lookups for the unknown ids of a table, in steps; the ids are requested together, since some sources
   * return a list.
   */
  *#lookUp(held: HeldTable): Generator<void, void> {
    const { series } = held.table;
    const count = this.#series.hasPlan(series) ? 0 : series.length;
    const created: Decision[] = [];
    for (let from = 0; from < count; from += seriesPerStep) {
      if (from > 0) yield;
      created.push(...this.#lookUpSome(held, series.slice(from, from + seriesPerStep)));
    }
    if (created.length > 0) yield* this.#ask(created);
    held.undecided -= 1;
  }

  /** @returns the ids to request */
  #lookUpSome(held: HeldTable, series: readonly Series[]): readonly Decision[] {
    const created: Decision[] = [];
    const decisions = this.#decisions.collect(
      series.filter((one) => !this.#series.has(one)),
      created,
    );
    for (const decision of created) this.#waiting.set(decision, new Set());
    for (const decision of decisions) {
      const tables = decision.names === undefined ? this.#waiting.get(decision) : undefined;
      if (tables === undefined || tables.has(held)) continue;
      tables.add(held);
      held.undecided += 1;
    }
    return created;
  }

  *#ask(created: readonly Decision[]): Generator<void, void> {
    const { maxWaitMs } = this.#options;
    const deadlineMs = performance.now() + maxWaitMs;
    const release = this.#names.hold(created.map(({ lookup }) => lookup));
    for (const [i, decision] of created.entries()) {
      if (i > 0 && i % seriesPerStep === 0) yield;
      const answered = this.#names.find(decision.lookup, deadlineMs);
      void answered.then((answer) => this.#decide(decision, answer));
    }
    release();
    const deadline = setTimeout(() => {
      this.#deadlines.delete(deadline);
      // Answers that arrived while the thread was busy are processed first.
      setImmediate(() => void this.#giveUp(created));
    }, maxWaitMs);
    this.#deadlines.add(deadline);
  }

  /** Forwards everything immediately: no time or memory is left to wait. */
  #releaseAll(): void {
    for (const lookUp of this.#lookUps) for (const _ of lookUp);
    this.#lookUps.clear();
    this.#settle([...this.#waiting.keys()], uncertain);
    while (this.#isFirstReady) this.#forwardFirst();
  }

  #decide(decision: Decision, answer: Answer): void {
    this.#settle([decision], answer);
    if (!this.#isDraining) void this.#drain();
  }

  /** Waits no longer for the answers to these. Never rejects. */
  async #giveUp(created: readonly Decision[]): Promise<void> {
    await runInSlices(this.#settleSome(created));
    if (!this.#isDraining) await this.#drain();
  }

  *#settleSome(created: readonly Decision[]): Generator<void, void> {
    for (let from = 0; from < created.length; from += seriesPerStep) {
      if (from > 0) yield;
      this.#settle(created.slice(from, from + seriesPerStep), uncertain);
    }
  }

  /** Ids that were already decided because of the time limit are not changed. */
  #settle(decisions: readonly Decision[], { names, isCertain }: Answer): void {
    for (const decision of decisions) {
      const tables = this.#waiting.get(decision);
      if (tables === undefined) continue;
      this.#waiting.delete(decision);
      decision.names = names;
      decision.isCertain = isCertain;
      for (const held of tables) held.undecided -= 1;
      this.#options.onDecision(describeOutcome(decision));
    }
  }

  /** Forwards the tables that no longer wait, in order. Yields in between: a second's worth of tables may be held. */
  async #drain(): Promise<void> {
    this.#isDraining = true;
    while (this.#isFirstReady) {
      // Tables that arrive in the meantime are held behind the rest.
      if (slices.isOver) await slices.letOthersRun();
      const first = this.#held.at(0);
      if (first && this.#isLong(first.table)) await runInSlices(this.#nameSome(first));
      this.#forwardFirst();
    }
    this.#isDraining = false;
  }

  /** Names the series of a table, in steps, unless it is forwarded in the meantime. */
  *#nameSome(held: HeldTable): Generator<void, void> {
    const { series } = held.table;
    for (let from = 0; from < series.length && this.#held[0] === held; from += seriesPerStep) {
      for (const one of series.slice(from, from + seriesPerStep)) this.#series.name(one);
      yield;
    }
  }

  get #isFirstReady(): boolean {
    return this.#held[0]?.undecided === 0;
  }

  /** If everything was released in the meantime, no table is left. */
  #forwardFirst(): void {
    const first = this.#isFirstReady ? this.#held.shift() : undefined;
    if (first === undefined) return;
    this.#heldPoints -= weigh(first.table);
    this.#forward(first.table);
  }

  #forward(table: Table): boolean {
    const series = this.#series.planOf(table.series);
    const ended = table.ended && this.#series.end(table.ended);
    const isSame = series === table.series && ended === table.ended;
    return this.#next.consume(isSame ? table : { ...table, series, ...(ended && { ended }) });
  }
}

/** The memory of a held table, in points: even a table without rows has some. */
function weigh(table: Table): number {
  return countPoints(table) + table.series.length + (table.ended?.length ?? 0) + 1;
}

function describeOutcome({ names = {}, isCertain }: Decision): Outcome {
  if (Object.keys(names).length > 0) return 'named';
  return isCertain ? 'unknown' : 'unanswered';
}
