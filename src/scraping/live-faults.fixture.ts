import assert from 'node:assert/strict';
import type { MeterReader } from '../component/fakes.js';
import type { Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import { until } from '../testing/until.js';
import { nameSeries } from './reader-faults.fixture.js';
import type { RunningReceiver } from './running-receiver.fixture.js';

/** Receivers that read devices or servers at intervals of real time: one of these fails, and another one does not. */
export interface LiveRig {
  readonly running: readonly Pick<RunningReceiver, 'log' | 'collector'>[];
  /** The collector's own telemetry of all of them. */
  readonly meter: MeterReader;
  /** Which of its counters have what could not be read. */
  readonly counters?: RegExp;
  /** Whether a series is of what fails, by `nameSeries`. */
  isSubject(name: string): boolean;
  /** What is of the receiver's own and differs from time to time, by `nameSeries`. */
  readonly ignored?: RegExp;
  /** The most that each counter of what fails can have counted until now; without it, all counters stand still. */
  maxTotal?(): number;
}

/** A fault, and what it has to lead to. */
export interface LiveFault {
  begin(): unknown;
  /** Mends it. */
  end(): unknown;
  /** What is logged, each at most once in all the time that it lasts; the first one always. */
  readonly problems: readonly [RegExp, ...RegExp[]];
}

const failures = 3;

/**
 * Lets receivers read before, during and after a fault, and checks that they go on, count what could not be read, log its
 * cause once, publish no value that there was not, and read the rest meanwhile.
 */
export async function checkLiveFault(rig: LiveRig, fault: LiveFault): Promise<void> {
  const course = new Course(rig);
  await until(() => course.count(true) >= 2 && course.count(false) >= 2);
  const before = course.values();
  const [rows, logged] = [course.count(false), listProblems(rig).length];
  const errored = await countErrored(rig);
  await fault.begin();
  course.forget();
  await until(async () => (await countErrored(rig)) >= errored + failures);
  await until(() => course.count(false) >= rows + failures);
  await until(() => isGone(course, before));
  checkProblems(listProblems(rig).slice(logged), fault);
  for (const name of before.keys()) assert.ok(rig.isSubject(name) || course.isRead(name), `${name} stops`);
  await fault.end();
  course.forget();
  const failed = course.count(true);
  await until(() => course.count(true) >= failed + 2);
  checkProblems(listProblems(rig).slice(logged), fault);
  course.check(before);
}

/** Whether all that fails has a gap or has ended. */
function isGone(course: Course, before: ReadonlyMap<string, number>): boolean {
  const values = course.values();
  return [...before.keys()]
    .filter((name) => course.isSubject(name))
    .every((name) => Number.isNaN(values.get(name)));
}

function listProblems({ running }: LiveRig): readonly string[] {
  return running.flatMap(({ log }) => log.lines).filter((line) => /^(?:warn|error): /u.test(line));
}

function checkProblems(lines: readonly string[], { problems }: LiveFault): void {
  const found = problems.map((problem) => lines.filter((line) => problem.test(line)).length);
  assert.equal(found[0], 1, `expected ${problems[0]} once, found ${JSON.stringify(lines)}`);
  assert.ok(
    found.every((count) => count <= 1),
    `found one twice: ${JSON.stringify(lines)}`,
  );
  for (const line of lines)
    assert.ok(
      problems.some((problem) => problem.test(line)),
      `not expected: ${line}`,
    );
}

async function countErrored({ meter, counters = /errored/u }: LiveRig): Promise<number> {
  const entries = Object.entries(await meter.read()).filter(([name]) => counters.test(name));
  return entries.reduce((sum, [, count]) => sum + count, 0);
}

interface Shown {
  readonly name: string;
  readonly isCounter: boolean;
  value: number;
}

/** What the receivers have published until now. */
class Course {
  readonly #rig: LiveRig;
  /** Of each receiver, the tables that were taken. */
  readonly #taken: number[];
  readonly #shown = new Map<Series, Shown>();
  /** By `nameSeries`, the last value of what has not ended. */
  readonly #last = new Map<string, number>();
  /** By `nameSeries`, each value that a gauge has shown. */
  readonly #gauges = new Map<string, Set<number>>();
  /** By `nameSeries`, what had a value. */
  readonly #read = new Set<string>();
  readonly #counts = { subject: 0, other: 0 };

  constructor(rig: LiveRig) {
    this.#rig = rig;
    this.#taken = rig.running.map(() => 0);
  }

  isSubject(name: string): boolean {
    return this.#rig.isSubject(name);
  }

  /** How many rows with values there were of what fails, or of the rest. */
  count(ofSubject: boolean): number {
    this.#advance();
    return ofSubject ? this.#counts.subject : this.#counts.other;
  }

  /** From now on, nothing was read. */
  forget(): void {
    this.#advance();
    this.#read.clear();
  }

  isRead(name: string): boolean {
    return this.#read.has(name);
  }

  /** The last value of each series; NaN: it has a gap, or has ended. */
  values(): ReadonlyMap<string, number> {
    this.#advance();
    return new Map(this.#last);
  }

  /** Nothing was shown that there was not. */
  check(before: ReadonlyMap<string, number>): void {
    this.#advance();
    for (const name of before.keys()) assert.ok(this.isRead(name), `${name} is not read again`);
    for (const [name, values] of this.#gauges) {
      const [low, high] = [Math.min(...values), Math.max(...values)];
      assert.ok(high - low <= 1e-6 * Math.abs(high), `${name} shows ${[...values].join(', ')}`);
    }
    const { maxTotal } = this.#rig;
    for (const [name, total] of this.#sumCounters()) {
      if (maxTotal === undefined) assert.equal(total, before.get(name), `${name} counts`);
      else if (this.isSubject(name))
        assert.ok(total <= maxTotal() * 1.001 + 1e-9, `${name} has counted ${total}, not ${maxTotal()}`);
    }
  }

  #sumCounters(): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const { name, isCounter, value } of this.#shown.values())
      if (isCounter && Number.isFinite(value)) sums.set(name, (sums.get(name) ?? 0) + value);
    return sums;
  }

  #advance(): void {
    for (const [i, { collector }] of this.#rig.running.entries()) {
      for (const table of collector.tables.slice(this.#taken[i])) this.#take(table);
      this.#taken[i] = collector.tables.length;
    }
  }

  #take({ series, values, ended = [] }: Table): void {
    const columns = series.map((one) => this.#find(one));
    const ofSubject = columns.some(({ name }) => this.isSubject(name));
    for (let from = 0; from < values.length; from += series.length) {
      const row = values.subarray(from, from + series.length);
      if (row.some(Number.isFinite)) this.#counts[ofSubject ? 'subject' : 'other']++;
      columns.forEach((one, column) => this.#show(one, row[column] ?? NaN));
    }
    for (const one of ended) this.#last.set(this.#find(one).name, NaN);
  }

  #find(series: Series): Shown {
    const known = this.#shown.get(series);
    if (known !== undefined) return known;
    const isCounter = series.metric.kind === 'counter';
    const shown = { name: nameSeries(series), isCounter, value: NaN };
    this.#shown.set(series, shown);
    return shown;
  }

  #show(one: Shown, value: number): void {
    if (this.#rig.ignored?.test(one.name) === true) return;
    this.#last.set(one.name, value);
    if (Number.isNaN(value)) return;
    one.value = value;
    this.#read.add(one.name);
    if (one.isCounter) return;
    const shown = this.#gauges.get(one.name) ?? new Set();
    this.#gauges.set(one.name, shown.add(value));
  }
}
