import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Component, ConsumingComponent, Factories } from '../component/component.js';
import {
  createFakeAgent,
  createFakeContext,
  createMeterReader,
  createTableCollector,
  type FakeContext,
  type MeterReader,
  type TableCollector,
} from '../component/fakes.js';
import type { ComponentKind } from '../component/kinds.js';
import { describeProbe } from '../component/probe.js';
import type { ConfigOf, Schema } from '../component/schema.js';
import { describeError, findErrorCode, UnavailableError } from '../errors.js';
import { countOpen, expectNothingLeft } from '../linux/open-resources.js';
import { checkHistograms } from '../model/check-histograms.js';
import { checkTables, sumLastValues } from '../model/check-tables.js';
import type { HistogramTable } from '../model/histogram-table.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { countPoints, type Table } from '../model/table.js';
import { createSampling } from '../sampling/sampling-threads.js';
import { simulateHistograms } from '../simulation/simulated-histograms.js';
import { simulateTables } from '../simulation/simulated-tables.js';
import { until } from '../testing/until.js';
import type { Subject } from './component-package.js';

/** One promise that a component keeps. */
export interface Check {
  readonly name: string;
  /**
   * Checks it.
   * @returns why it cannot be checked on this machine; undefined when it was
   * @throws AssertionError when the component breaks the promise
   */
  run(): Promise<string | undefined>;
}

/** Settings with which a component is run. */
export interface Trial {
  /** For the names of tests. */
  readonly name: string;
  /** The component's id in the configuration. */
  readonly id: string;
  readonly settings: ConfigOf<Schema>;
  readonly isDefault: boolean;
  /** Why it cannot be run here. */
  readonly needs: string | undefined;
}

/** A new component of a trial, and what can be seen of it. */
interface Run {
  readonly component: Component & Partial<ConsumingComponent>;
  /** What a receiver or processor has published. */
  readonly collector: TableCollector;
  /**
   * Starts it as the engine does.
   * @returns why it cannot run on this machine, if so
   */
  start(): Promise<string | undefined>;
}

/** What a check gets. */
interface Bench {
  readonly subject: Subject;
  readonly trial: Trial;
  readonly telemetry: MeterReader;
  create(): Run;
}

/** @returns why it could not be checked */
type RunCheck = (bench: Bench) => Promise<string | undefined>;

const checks: Readonly<Record<ComponentKind, Readonly<Record<string, RunCheck>>>> = {
  receiver: { 'publishes and reports what it declares': checkEmission },
  processor: { 'takes what a simulated machine publishes, and keeps every joule': checkProcessing },
  exporter: { 'takes what a simulated machine publishes, and counts it': checkExport },
  extension: {},
};

const checksOfAll: Readonly<Record<string, RunCheck>> = {
  'shuts down without start, and twice': checkShutdown,
  'starts and stops twice and leaves nothing open': checkLifecycle,
};

/** The checks that run a component with some settings, each in a temporary folder. */
export function runChecks(subject: Subject, trial: Trial): readonly Check[] {
  const all = Object.entries({ ...checksOfAll, ...checks[subject.kind] });
  return all.map(([name, check]) => ({
    name: `${name}, with ${trial.name}`,
    run: async () =>
      trial.needs === undefined
        ? inTemporaryFolder(() => runCheck(subject, trial, check))
        : `it needs ${trial.needs}`,
  }));
}

/** Examples may write files. */
async function inTemporaryFolder<Result>(work: () => Promise<Result>): Promise<Result> {
  const before = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), 'joulemetry-contract-'));
  process.chdir(folder);
  try {
    return await work();
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runCheck(subject: Subject, trial: Trial, check: RunCheck): Promise<string | undefined> {
  const telemetry = createMeterReader();
  const fake = createFakeContext({ id: trial.id, meter: telemetry.meter });
  const sampling = createSampling(fake);
  const context = { ...fake, sampling };
  try {
    return await check({ subject, trial, telemetry, create: () => createRun(subject, trial, context) });
  } finally {
    await sampling.shutdown();
  }
}

async function checkShutdown({ create }: Bench): Promise<undefined> {
  await shutdownTwice(create());
}

async function shutdownTwice({ component }: Run): Promise<void> {
  await component.shutdown();
  await component.shutdown();
}

async function checkLifecycle({ create }: Bench): Promise<string | undefined> {
  // The first run may open what stays open, say a library.
  const missing = await startAndStop(create());
  const before = countOpen();
  await startAndStop(create());
  await expectNothingLeft(before);
  return missing;
}

async function startAndStop(run: Run): Promise<string | undefined> {
  try {
    return await run.start();
  } finally {
    await shutdownTwice(run);
  }
}

async function checkEmission({ subject, trial, telemetry, create }: Bench): Promise<string | undefined> {
  const run = create();
  const { tables } = run.collector;
  try {
    const missing = await run.start();
    if (missing !== undefined) return missing;
    if (subject.factory.listensAt !== undefined) return 'it needs something that sends to it';
    await run.component.flush?.();
    await until(() => tables.some((table) => countPoints(table) > 0));
  } finally {
    await shutdownTwice(run);
  }
  const { metrics } = subject.factory as Factories['receiver'];
  // A receiver that declares none publishes whatever its source has.
  if (metrics.length > 0)
    checkDeclared(
      tables,
      metrics.map(({ name }) => name),
    );
  checkTables(tables);
  const own = Object.entries(await telemetry.read());
  assert.ok(
    own.some(([name, value]) => name.includes(trial.id) && value > 0),
    `it published ${tables.length} tables, and none of its own metrics counts them for receiver "${trial.id}"`,
  );
  return undefined;
}

function checkDeclared(tables: readonly Table[], declared: readonly string[]): void {
  const published = new Set(tables.flatMap(({ series }) => series).map(({ metric }) => metric.name));
  assert.deepEqual(
    [...published].filter((name) => !declared.includes(name)),
    [],
  );
}

async function checkProcessing({ subject, trial, create }: Bench): Promise<string | undefined> {
  const { given, run, missing } = await feedTwice(create);
  const { tables } = run.collector;
  const factory = subject.factory as Factories['processor'];
  const passing = given.flatMap(({ series }) => series).map(({ metric }) => metric);
  const named = factory.namedMetrics?.(trial.settings) ?? [];
  checkDeclared(tables, [...[...(factory.metrics ?? []), ...passing].map(({ name }) => name), ...named]);
  checkTables(tables);
  checkHistograms(run.collector.histograms);
  // An example may filter or scale.
  if (trial.isDefault) checkJoules(tables, given);
  return missing;
}

function checkJoules(found: readonly Table[], given: readonly Table[]): void {
  const joules = sumLastValues(found, hwEnergy.name);
  const expected = sumLastValues(given, hwEnergy.name);
  assert.ok(
    Math.abs(joules - expected) < 1e-9 * expected,
    `expected ${expected} J of hardware, found ${joules} J`,
  );
}

async function checkExport({ trial, telemetry, create }: Bench): Promise<string | undefined> {
  const { given, run, missing } = await feedTwice(create);
  if (missing !== undefined || run.component.readBacklog === undefined) return missing;
  const counted = await telemetry.read();
  const names = ['sent', 'send_failed', 'enqueue_failed'].map(
    (outcome) => `otelcol_exporter_${outcome}_metric_points{${trial.id}}`,
  );
  const points = names.reduce((sum, name) => sum + (counted[name] ?? 0), 0);
  const countTwice = (count: (table: Table) => number) =>
    2 * given.reduce((sum, table) => sum + count(table), 0);
  const histograms = run.component.consumeHistograms === undefined ? [] : simulateHistograms();
  const countAll = (count: (table: Table | HistogramTable) => number) =>
    countTwice(count) + 2 * histograms.reduce((sum, table) => sum + count(table), 0);
  const values = countAll(countValues);
  // A gap and the end of a series are points in some formats only.
  assert.ok(
    values <= points && points <= values + countAll(countGaps) + countAll(countEnds),
    `expected ${values} points in ${names.join(', ')}, found ${points}`,
  );
  return undefined;
}

/** What is NaN where there was no reading. */
function readingsOf(table: Table | HistogramTable): Float64Array {
  return 'counts' in table ? table.counts : table.values;
}

function countGaps(table: Table | HistogramTable): number {
  return readingsOf(table).filter(Number.isNaN).length;
}

function countValues(table: Table | HistogramTable): number {
  return readingsOf(table).length - countGaps(table);
}

function countEnds({ ended = [] }: Table | HistogramTable): number {
  return ended.length;
}

/** Energy, processes that come and go, a gap and a counter that is reset, and a shutdown with all of it in flight. */
async function feedTwice(create: () => Run) {
  await feed(create());
  const before = countOpen();
  const run = create();
  const result = await feed(run);
  await expectNothingLeft(before);
  return { run, ...result };
}

function simulate(): readonly Table[] {
  return simulateTables({ resource: { attributes: {} } }).tables;
}

async function feed(run: Run) {
  const [given, untouched] = [simulate(), simulate()];
  const histograms = simulateHistograms();
  let missing: string | undefined;
  try {
    missing = await run.start();
    if (missing === undefined) {
      for (const table of given) assert.equal(typeof run.component.consume?.(table), 'boolean');
      for (const table of histograms) run.component.consumeHistograms?.(table);
    }
  } finally {
    await shutdownTwice(run);
  }
  assert.deepEqual(given, untouched, 'it changed a table');
  assert.deepEqual(histograms, simulateHistograms(), 'it changed a table of histograms');
  return { given, missing };
}

function createRun({ kind, factory }: Subject, { settings }: Trial, context: FakeContext): Run {
  const collector = createTableCollector();
  // The factory of a subject is that of its kind; the compiler does not follow that through the union.
  const receiver = factory as Factories['receiver'];
  const creators: { readonly [Kind in ComponentKind]: () => Component } = {
    receiver: () => receiver.create(settings, context, collector),
    processor: () => (factory as Factories['processor']).create(settings, context, collector),
    exporter: () => (factory as Factories['exporter']).create(settings, context),
    extension: () =>
      (factory as Factories['extension']).create(settings, {
        ...context,
        isReady: () => true,
        agent: createFakeAgent(),
      }),
  };
  const component = creators[kind]();
  return {
    component,
    collector,
    async start() {
      try {
        const probe = kind === 'receiver' ? await receiver.probe(settings, context) : undefined;
        if (probe?.available === false) return describeProbe(probe);
        await component.start();
        return undefined;
      } catch (error) {
        if (error instanceof UnavailableError || isAddressTaken(error)) return describeError(error);
        throw error;
      }
    },
  };
}

function isAddressTaken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return findErrorCode(error) === 'EADDRINUSE' || isAddressTaken(error.cause);
}
