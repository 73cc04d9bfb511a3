import assert from 'node:assert/strict';
import type { Component, ComponentKind, Factories, ReceiverContext } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import { UnavailableError } from '../component/errors.js';
import { parseComponentId } from '../config/component-id.js';
import { findEntry } from '../config/node.js';
import { describeProblem, type Problem } from '../config/problem.js';
import { parseConfigText } from '../config/read-yaml.js';
import type { Schema } from '../config/schema.js';
import { receiverKeys } from '../config/service-schema.js';
import { judgeSettings, parseSettings } from '../config/settings.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { createRow, type Table } from '../model/table.js';
import { simulateTables } from '../simulation/simulated-tables.js';
import { checkTables, sumLastValues } from './check-tables.js';
import { createTableCollector, type TableCollector } from './fakes.js';
import { countOpen, expectNothingLeft } from './open-resources.js';
import { describeMetricRow, findSection, listSettings, parseTable, renderSettingsTable } from './readme.js';

/** A component under test. */
export interface Subject<Kind extends ComponentKind = ComponentKind> {
  readonly kind: Kind;
  readonly type: string;
  readonly factory: Factories[Kind];
  /** The text of its README. */
  readonly readme: string;
  /** What it is lent; its sampling threads must be real ones. */
  readonly context: ReceiverContext;
}

/** One promise that every component keeps. */
export interface Promised {
  readonly name: string;
  /** @throws AssertionError when the component breaks it */
  check(subject: Subject): Promise<void> | void;
}

/** What every component promises, ours and others': run each in a test of its own. */
export const contract: readonly Promised[] = [
  { name: 'has a doc and a right default for every setting', check: checkSchema },
  { name: 'has a README with the fixed outline', check: checkOutline },
  { name: 'documents every setting as its schema says it', check: checkSettingsTable },
  { name: 'documents every metric with unit and kind', check: checkMetricsTable },
  { name: 'expects series of its own metrics only', check: checkExpectedSeries },
  { name: 'shows an example that is right', check: checkExample },
  { name: 'shuts down without start, and twice', check: checkShutdown },
  { name: 'starts and stops twice and leaves nothing open', check: checkLifecycle },
  { name: 'emits only metrics that it declares, and counters that never fall', check: checkEmission },
  { name: 'takes what a simulated machine gives, and keeps every joule', check: checkSimulation },
];

function checkSchema({ factory }: Subject): void {
  for (const { path, doc } of listSettings(factory.schema)) {
    assert.match(doc, /^[A-Z].*[.?]$/su, `the doc of "${path}" is no sentence`);
  }
  parseSettings(factory.schema, {});
}

const outlines: { readonly [Kind in ComponentKind]: readonly string[] } = {
  receiver: ['What is read', 'What it needs', 'Metrics', 'Settings', 'Example'],
  processor: ['What it does', 'Settings', 'Example'],
  exporter: ['What it does', 'Settings', 'Example'],
  extension: ['What it does', 'Settings', 'Example'],
};

function checkOutline({ kind, type, readme }: Subject): void {
  assert.ok(readme.startsWith(`# ${type} ${kind}\n`), `the README does not begin with "# ${type} ${kind}"`);
  for (const heading of outlines[kind]) {
    assert.ok(findSection(readme, heading) !== undefined, `the README has no section "${heading}"`);
  }
}

function checkSettingsTable({ factory, readme }: Subject): void {
  const documented = parseTable(findSection(readme, 'Settings') ?? '');
  assert.deepEqual(documented, parseTable(renderSettingsTable(factory.schema)));
}

function checkMetricsTable({ factory, readme }: Subject): void {
  const metrics = 'metrics' in factory ? (factory.metrics ?? []) : [];
  const documented = parseTable(findSection(readme, 'Metrics') ?? '').map(
    ([name, unit = '', kind]) => `${name} | \`${unit.replaceAll('`', '')}\` | ${kind}`,
  );
  assert.deepEqual(documented.toSorted(), [...new Set(metrics.map(describeMetricRow))].toSorted());
}

function checkExpectedSeries({ factory }: Subject): void {
  if (!('expectedSeries' in factory) || factory.expectedSeries === undefined) return;
  const names = new Set(factory.metrics.map(({ name }) => name));
  const foreign = factory
    .expectedSeries(parseSettings(factory.schema, {}))
    .filter(({ metric }) => !names.has(metric));
  assert.deepEqual(foreign, []);
}

/** Judges what stands below ids of this type; other components of an example are theirs to check. */
function checkExample({ kind, type, factory, readme }: Subject): void {
  const [, text] = /```yaml\n(.*?)```/su.exec(findSection(readme, 'Example') ?? '') ?? [];
  assert.ok(text !== undefined, 'the README has no example in YAML');
  const problems: Problem[] = [];
  const surroundings = { env: process.env, onUnset: () => {} };
  const section = findEntry(parseConfigText(text, 'README.md', surroundings, problems), `${kind}s`)?.node;
  const entries = section?.kind === 'map' ? [...section.entries] : [];
  const shown = entries.filter(([id]) => parseComponentId(id).type === type);
  assert.ok(shown.length > 0, `the example shows no ${kind} "${type}"`);
  const schema: Schema = kind === 'receiver' ? { ...factory.schema, ...receiverKeys } : factory.schema;
  for (const [id, { node }] of shown) {
    const settings = judgeSettings<Schema>(schema, node, id, problems);
    if (problems.length === 0) assert.deepEqual(factory.check?.(settings) ?? [], []);
  }
  assert.deepEqual(problems.map(describeProblem), []);
}

async function checkShutdown(subject: Subject): Promise<void> {
  const { component } = create(subject);
  await component.shutdown();
  await component.shutdown();
}

async function checkLifecycle(subject: Subject): Promise<void> {
  // The first run may open what stays for good, say a library.
  await startAndStop(subject);
  const before = countOpen();
  await startAndStop(subject);
  await expectNothingLeft(before);
}

async function startAndStop(subject: Subject): Promise<void> {
  const { component } = create(subject);
  try {
    await component.start();
  } catch (error) {
    // A machine without the source is no fault of the component.
    if (!(error instanceof UnavailableError)) throw error;
  }
  await component.shutdown();
  await component.shutdown();
}

async function checkEmission(subject: Subject): Promise<void> {
  const { component, collector } = create(subject);
  try {
    await component.start();
    await component.flush?.();
    if (component.consume) assert.equal(component.consume(createExampleTable(subject)), true);
    await component.flush?.();
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
  } finally {
    await component.shutdown();
  }
  checkDeclared(subject, collector.tables);
  checkTables(collector.tables);
}

async function checkSimulation(subject: Subject): Promise<void> {
  if (subject.kind !== 'processor' && subject.kind !== 'exporter') return;
  await feedSimulation(subject);
  const before = countOpen();
  await feedSimulation(subject);
  await expectNothingLeft(before);
}

/** Energy, processes that come and go, a gap and a counter that begins anew, and an end with all of it in flight. */
async function feedSimulation(subject: Subject): Promise<void> {
  const { component, collector } = create(subject);
  const { tables } = simulateTables({ resource: subject.context.host });
  const untouched = simulateTables({ resource: subject.context.host }).tables;
  try {
    await component.start();
    for (const table of tables) assert.equal(typeof component.consume?.(table), 'boolean');
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
  } finally {
    await component.shutdown();
    await component.shutdown();
  }
  assert.deepEqual(tables, untouched, 'it changed a table');
  checkTables(collector.tables);
  if (subject.kind === 'processor') checkJoules(collector.tables, tables);
}

function checkJoules(found: readonly Table[], given: readonly Table[]): void {
  const [joules, wanted] = [found, given].map((tables) => sumLastValues(tables, hwEnergy.name));
  assert.ok(Math.abs(joules - wanted) < 1e-9 * wanted, `it made ${joules} J of ${wanted} J of hardware`);
}

function checkDeclared({ kind, factory }: Subject, tables: readonly Table[]): void {
  const declared = 'metrics' in factory ? (factory.metrics ?? []).map(({ name }) => name) : [];
  // Processors hand on what they were given.
  const allowed = new Set(kind === 'receiver' ? declared : [...declared, hwEnergy.name]);
  const undeclared = tables.flatMap(({ series }) => series).filter(({ metric }) => !allowed.has(metric.name));
  assert.deepEqual(
    undeclared.map(({ metric }) => metric.name),
    [],
  );
}

function createExampleTable({ context }: Subject) {
  const attributes = { 'hw.type': 'cpu', 'hw.id': 'cpu-package-0', 'energy.method': 'measured' };
  const series = [{ metric: hwEnergy, resource: context.host, attributes, start: context.clock.wallNs() }];
  return createRow(series, context.clock.wallNs(), Float64Array.of(1));
}

interface Created {
  readonly component: Component & Partial<Consumer>;
  /** What a receiver or processor handed on. */
  readonly collector: TableCollector;
}

function create({ kind, factory, context }: Subject): Created {
  const collector = createTableCollector();
  const settings = parseSettings<Schema>(factory.schema, {});
  // The factory of a subject is that of its kind; the compiler does not follow that through the union.
  const creators: { readonly [Kind in ComponentKind]: () => Component } = {
    receiver: () => (factory as Factories['receiver']).create(settings, context, collector),
    processor: () => (factory as Factories['processor']).create(settings, context, collector),
    exporter: () => (factory as Factories['exporter']).create(settings, context),
    extension: () =>
      (factory as Factories['extension']).create(settings, { ...context, isReady: () => true }),
  };
  return { component: creators[kind](), collector };
}
