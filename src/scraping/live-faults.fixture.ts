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
  /** The collector's own telemetry of all receivers. */
  readonly meter: MeterReader;
  /** The counters of that telemetry that count failed readings. */
  readonly counters?: RegExp;
  /** Whether a series comes from the failing source, by `nameSeries`. */
  isSubject(name: string): boolean;
  /** Series of the receiver itself that vary over time, by `nameSeries`. */
  readonly ignored?: RegExp;
  /** Maximum value of each counter of the failing source so far; without it, all counters are constant. */
  maxTotal?(): number;
}

/** A fault, and its expected consequences. */
export interface LiveFault {
  begin(): unknown;
  /** Ends the fault. */
  end(): unknown;
  /** The logged causes, each at most once while the fault lasts; the first one always. */
  readonly problems: readonly [RegExp, ...RegExp[]];
}

const failures = 3;

/**
 * Lets receivers read before, during and after a fault, and checks that they continue, count failed readings,
 * log the cause once, publish no value that the source did not have, and read the other sources meanwhile.
 */
export async function checkLiveFault(rig: LiveRig, fault: LiveFault): Promise<void> {
  const course = new Course(rig);
  await until(() => course.count(true) >= 2 && course.count(false) >= 2);
  const before = course.values();
  const logged = listProblems(rig).length;
  await fault.begin();
  course.forget();
  const [rows, errored] = [course.count(false), await countErrored(rig)];
  await until(async () => (await countErrored(rig)) >= errored + failures);
  await until(() => course.count(false) >= rows + failures);
  await until(() => isGone(course, before));
  checkProblems(listProblems(rig).slice(logged), fault);
  await until(() => listUnread(course, before).every(rig.isSubject));
  await fault.end();
  course.forget();
  const failed = course.count(true);
  await until(() => course.count(true) >= failed + 2);
  await until(() => listUnread(course, before).length === 0);
  checkProblems(listProblems(rig).slice(logged), fault);
  course.check(before);
}

/**
 * Resets the counters of a source while receivers read, and checks that each of them ends and continues as
 * another series that has counted nothing, and that nothing else stops, counts or is logged.
 * @param isReset whether a series is that of a reset counter, by `nameSeries`
 */
export async function checkLiveReset(
  rig: LiveRig,
  isReset: (name: string) => boolean,
  reset: () => unknown,
): Promise<void> {
  const course = new Course(rig);
  await until(() => course.count(true) >= 2 && course.count(false) >= 2);
  const [before, errored] = [course.values(), await countErrored(rig)];
  const counters = [...before.keys()].filter(isReset);
  assert.ok(counters.length > 0, `no series is reset: ${[...before.keys()].join(', ')}`);
  assert.ok(counters.every(rig.isSubject), 'only those of the source');
  const logged = listProblems(rig).length;
  await reset();
  await until(() => counters.every((name) => course.countSeries(name) === 2));
  course.forget();
  const [own, others] = [course.count(true), course.count(false)];
  await until(() => course.count(true) >= own + failures && course.count(false) >= others + failures);
  await until(() => listUnread(course, before).length === 0);
  course.check(before);
  for (const name of before.keys())
    assert.equal(course.countSeries(name), counters.includes(name) ? 2 : 1, `${name} is another series`);
  assert.equal(await countErrored(rig), errored, 'a reset is no failure');
  assert.deepEqual(listProblems(rig).slice(logged), []);
}

/** The series without a value since `forget`. */
function listUnread(course: Course, before: ReadonlyMap<string, number>): readonly string[] {
  course.count(true);
  return [...before.keys()].filter((name) => !course.isRead(name));
}

/** Whether every failing series has a gap or has ended. */
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

/** The tables that the receivers have published so far. */
class Course {
  readonly #rig: LiveRig;
  /** Number of handled tables, by receiver. */
  readonly #taken: number[];
  readonly #shown = new Map<Series, Shown>();
  /** The last value of each series that has not ended, by `nameSeries`. */
  readonly #last = new Map<string, number>();
  /** All values of a gauge, by `nameSeries`. */
  readonly #gauges = new Map<string, Set<number>>();
  /** The series that had a value, by `nameSeries`. */
  readonly #read = new Set<string>();
  readonly #counts = { subject: 0, other: 0 };

  constructor(rig: LiveRig) {
    this.#rig = rig;
    this.#taken = rig.running.map(() => 0);
  }

  isSubject(name: string): boolean {
    return this.#rig.isSubject(name);
  }

  /** Number of rows with values, of the failing source or of the others. */
  count(ofSubject: boolean): number {
    this.#advance();
    return ofSubject ? this.#counts.subject : this.#counts.other;
  }

  /** Resets which series had a value. */
  forget(): void {
    this.#advance();
    this.#read.clear();
  }

  isRead(name: string): boolean {
    return this.#read.has(name);
  }

  /** Number of series with a name and a value so far. */
  countSeries(wanted: string): number {
    this.#advance();
    const shown = [...this.#shown.values()];
    return shown.filter(({ name, value }) => name === wanted && Number.isFinite(value)).length;
  }

  /** The last value of each series; NaN: it has a gap, or has ended. */
  values(): ReadonlyMap<string, number> {
    this.#advance();
    return new Map(this.#last);
  }

  /** Checks that no false value was published. */
  check(before: ReadonlyMap<string, number>): void {
    this.#advance();
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
