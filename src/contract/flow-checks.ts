import assert from 'node:assert/strict';
import type { Factories } from '../component/component.js';
import { countOpen, expectNothingLeft } from '../linux/open-resources.js';
import { checkHistograms } from '../model/check-histograms.js';
import { checkTables, sumLastValues } from '../model/check-tables.js';
import type { HistogramTable } from '../model/histogram-table.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { countPoints, type Table } from '../model/table.js';
import { simulateHistograms } from '../simulation/simulated-histograms.js';
import { simulateTables } from '../simulation/simulated-tables.js';
import { until } from '../testing/until.js';
import { shutdownTwice, type Bench, type Run } from './trial-run.js';

/** A receiver publishes valid tables of its declared metrics, and its own telemetry counts them. */
export async function checkEmission({
  subject,
  trial,
  telemetry,
  create,
}: Bench): Promise<string | undefined> {
  const run = create();
  const { tables } = run.collector;
  try {
    const missing = await run.start();
    if (missing !== undefined) return missing;
    if (subject.factory.listensAt !== undefined) return 'not run: needs a program that sends to it';
    await run.component.flush?.();
    await until(() => tables.some((table) => countPoints(table) > 0));
  } finally {
    await shutdownTwice(run);
  }
  const { metrics } = subject.factory as Factories['receiver'];
  // A receiver that declares none publishes those of its source.
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

/** A processor publishes valid tables of its input and its declared metrics, and loses no energy. */
export async function checkProcessing({ subject, trial, create }: Bench): Promise<string | undefined> {
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

/** An exporter counts every point as sent or as lost. */
export async function checkExport({ trial, telemetry, create }: Bench): Promise<string | undefined> {
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

/** Values except NaN, which means no reading. */
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

/** Energy, processes that start and end, a gap, a counter reset, and a shutdown with all of it in flight. */
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
