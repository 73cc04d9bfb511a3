import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ReceiverContext, ReceiverFactory } from '../component/component.js';
import { createMeterReader } from '../component/fakes.js';
import type { Schema } from '../component/schema.js';
import { checkTables } from '../model/check-tables.js';
import type { Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import { until } from '../testing/until.js';
import { startPacedReceiver, type PacedReceiver } from './running-receiver.fixture.js';

/** A receiver, and the machine or device that it reads in a test. */
export interface FaultyMachine<S extends Schema> {
  readonly factory: ReceiverFactory<S>;
  readonly settings: object;
  /** Advances by a second: each counter grows by the same amount each time, and no gauge changes. */
  tick(): void;
  /** Series that come from the damaged part, by `nameSeries`; the others must continue. */
  readonly subject: RegExp;
  /** Whether there is no other part: one file, one device. */
  readonly isAll?: boolean;
  /** Maximum growth of a counter per second of real time, if it is integrated over real time. */
  readonly maxPerSecond?: number;
  /** Series that the receiver measures on its own clock, by `nameSeries`: their growth is not checked. */
  readonly ignored?: RegExp;
  readonly overrides?: Partial<ReceiverContext>;
  /** The interval setting of a sampling receiver, which is also read when it is flushed. */
  readonly interval?: 'sampling_interval';
  /** The counters of the collector's own telemetry that count failed readings. */
  readonly counters?: RegExp;
}

/** A fault, and its expected consequences. */
export interface Fault {
  /** Called before each reading that is to fail. */
  readonly begin: () => unknown;
  /** Ends the fault: called after each of these readings. */
  readonly end: () => unknown;
  /**
   * The cause, which is logged once while the fault lasts, and counted at each reading. Undefined: it is not a
   * failure, for example a counter reset or an unplugged device.
   */
  readonly problem?: RegExp | undefined;
  /**
   * Fails one reading before the fault, so that no descriptor is kept open: an open one would still return the
   * old content.
   */
  readonly closeFiles?: () => unknown;
  /** Whether values continue, for example after a counter reset. */
  readonly isRead?: boolean;
}

type Readings = Awaited<ReturnType<PacedReceiver['read']>>;

/** The metric, and the attribute values of a series and of its resource. */
export function nameSeries({ metric, attributes, resource }: Series): string {
  return [metric.name, ...Object.values(attributes), ...Object.values(resource.attributes)].join(' ');
}

const readingsOfFault = 3;

/**
 * Lets a receiver read a machine before, during and after a fault, and checks that it continues, counts the
 * gap, logs its cause once, publishes no value that the machine did not have, and reads the other parts
 * meanwhile.
 */
export async function checkFault<S extends Schema>(
  t: TestContext,
  machine: FaultyMachine<S>,
  fault: Fault,
): Promise<void> {
  const rig = await startRig(t, machine);
  const course = new Course(machine);
  const gone = new Set<string>();
  const tables: Table[] = [];
  const read = async (damage?: () => unknown): Promise<ReadonlyMap<string, number>> => {
    machine.tick();
    await damage?.();
    course.begin();
    const readings = await rig.receiver.read(1);
    course.add(readings);
    noteGone(gone, readings, rig.receiver.collector.tables);
    tables.push(...rig.receiver.collector.tables);
    return valuesOf(readings);
  };
  await read();
  const before = await read();
  await read();
  course.learn();
  gone.clear();
  if (fault.closeFiles !== undefined) {
    await read(fault.closeFiles);
    await fault.end();
  }
  const { lines } = rig.receiver.log;
  const logged = lines.length;
  const errored = await rig.countErrored();
  for (let i = 0; i < readingsOfFault; i++) {
    checkReading(await read(fault.begin), before, machine, fault);
    // The files must exist again before the machine writes its next values into them.
    await fault.end();
  }
  if (fault.isRead !== true) checkGaps(gone, before, machine);
  checkProblems(lines.slice(logged), fault);
  const counted = (await rig.countErrored()) - errored;
  if (fault.problem !== undefined)
    assert.ok(counted >= readingsOfFault, `${counted} points of ${readingsOfFault} readings were counted`);
  await read();
  const after = await read();
  for (const name of before.keys()) assert.ok(Number.isFinite(after.get(name)), `${name} is not read again`);
  checkTables(tables);
}

async function startRig<S extends Schema>(
  t: TestContext,
  {
    factory,
    settings,
    overrides,
    interval = 'collection_interval',
    counters = /errored/u,
  }: Omit<FaultyMachine<S>, 'interval'> & { readonly interval?: string },
) {
  const meter = createMeterReader();
  const config = { [interval]: '1h', ...settings };
  const receiver = await startPacedReceiver(t, factory, config, { ...overrides, meter: meter.meter });
  // A loop makes its first reading by itself; all others are requested.
  await until(() => receiver.collector.tables.length > 0);
  // That one may still be in progress.
  await receiver.receiver.flush?.();
  const countErrored = async (): Promise<number> => {
    const entries = Object.entries(await meter.read()).filter(([name]) => counters.test(name));
    return entries.reduce((sum, [, count]) => sum + count, 0);
  };
  return { receiver, countErrored };
}

function valuesOf(readings: Readings): ReadonlyMap<string, number> {
  return new Map(readings.map(([series, value]) => [nameSeries(series), value]));
}

function checkReading<S extends Schema>(
  values: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
  { subject, isAll = false }: FaultyMachine<S>,
  { isRead = false }: Fault,
): void {
  const names = [...before.keys()].filter((name) => Number.isFinite(before.get(name)));
  const damaged = names.filter((name) => subject.test(name));
  assert.ok(damaged.length > 0, `no series is called ${subject.source}: ${names.join(', ')}`);
  assert.equal(damaged.length === names.length, isAll, 'whether there is something else');
  for (const name of names) {
    const value = values.get(name) ?? NaN;
    if (!subject.test(name)) assert.ok(Number.isFinite(value), `${name} stops`);
    else if (!isRead) assert.ok(Number.isNaN(value), `${name} is ${value} instead of a gap`);
  }
}

/** Adds the series with a row of NaN, and those that ended. */
function noteGone(gone: Set<string>, readings: Readings, tables: readonly Table[]): void {
  for (const [series, value] of readings) if (Number.isNaN(value)) gone.add(nameSeries(series));
  for (const { ended = [] } of tables) for (const one of ended) gone.add(nameSeries(one));
}

/** A missing row alone does not show consumers that a value is no longer known. */
function checkGaps<S extends Schema>(
  gone: ReadonlySet<string>,
  before: ReadonlyMap<string, number>,
  { subject }: FaultyMachine<S>,
): void {
  const silent = [...before.keys()].filter((name) => subject.test(name) && !gone.has(name));
  assert.deepEqual(silent, [], 'neither a gap nor an end');
}

function checkProblems(lines: readonly string[], { problem }: Fault): void {
  const problems = lines.filter((line) => /^(?:warn|error): /u.test(line));
  if (problem === undefined) return assert.deepEqual(problems, []);
  assert.equal(problems.length, 1, `expected one problem, found ${JSON.stringify(problems)}`);
  assert.match(problems[0] ?? '', problem);
}

/** The published values of each series, and their limits. */
class Course {
  #reading = 0;
  #beganMs = 0;
  readonly #last = new Map<string, Shown>();
  readonly #maxPerSecond: number | undefined;
  readonly #ignored: RegExp | undefined;
  /** Growth of a counter per reading, and the value of a gauge. */
  readonly #steps = new Map<string, number>();
  #isLearned = false;

  constructor({ maxPerSecond, ignored }: Pick<FaultyMachine<Schema>, 'maxPerSecond' | 'ignored'>) {
    this.#maxPerSecond = maxPerSecond;
    this.#ignored = ignored;
  }

  /** Starts a reading. */
  begin(): void {
    this.#reading++;
    this.#beganMs = performance.now();
  }

  /** Takes the readings so far as the reference. */
  learn(): void {
    this.#isLearned = true;
  }

  add(readings: Readings): void {
    for (const [series, value] of readings) if (Number.isFinite(value)) this.#take(series, value);
  }

  #take(series: Series, value: number): void {
    const name = nameSeries(series);
    if (this.#ignored?.test(name) === true) return;
    const last = this.#last.get(name);
    this.#last.set(name, { series, value, at: this.#reading, beganMs: this.#beganMs });
    const isCounter = series.metric.kind === 'counter';
    const rise = isCounter ? value - (last?.value ?? value) : value;
    if (!this.#isLearned) this.#steps.set(name, rise);
    const step = this.#steps.get(name);
    if (!this.#isLearned || step === undefined) return;
    if (!isCounter) return assert.equal(value, step, `${name} shows ${value}`);
    const limit = this.#findLimit(step, last) * 1.001 + 1e-9;
    assert.ok(rise <= limit, `${name} grew by ${rise}, at most by ${limit} in truth`);
    assert.ok(rise >= 0 || series !== last?.series, `${name} fell to ${value}`);
  }

  #findLimit(step: number, last: Shown | undefined): number {
    if (last === undefined) return Infinity;
    if (this.#maxPerSecond !== undefined)
      return (this.#maxPerSecond * (performance.now() - last.beganMs)) / 1000;
    return step * (this.#reading - last.at);
  }
}

/** Resets a counter once, to a smaller number. */
export function createReset(reset: () => unknown): Fault {
  let isDone = false;
  return {
    begin() {
      if (!isDone) reset();
      isDone = true;
    },
    end() {},
    isRead: true,
  };
}

/** The last published value of a series. */
interface Shown {
  readonly series: Series;
  readonly value: number;
  /** Number of its reading, and the time at which that started. */
  readonly at: number;
  readonly beganMs: number;
}
