import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { factory as prometheus } from '../exporters/prometheus/factory.js';
import { factory as attribution } from '../processors/attribution/factory.js';
import { factory as metricsTransform } from '../processors/metrics_transform/factory.js';
import { factory as power } from '../processors/power/factory.js';
import type { ProcessorFactory } from '../src/component/component.js';
import type { Consumer } from '../src/component/consumer.js';
import {
  createFakeContext,
  createLogCollector,
  createTableCollector,
  type TableCollector,
} from '../src/component/fakes.js';
import type { Schema } from '../src/component/schema.js';
import { parseSettings } from '../src/config/settings.js';
import { describeEstimate } from '../src/energy/power-models.js';
import { createPlans } from '../src/model/plan.js';
import type { Attributes, Metric, Series } from '../src/model/series.js';
import { hostEnergy, hwEnergy } from '../src/model/shared-metrics.js';
import { createRow, type Table } from '../src/model/table.js';
import { epoch, simulateTables } from '../src/simulation/simulated-tables.js';
import { total } from './sums.js';

const inPod: Attributes = {
  'container.id': 'c0ffee',
  'container.name': 'web',
  'k8s.pod.uid': 'a1',
  'k8s.pod.name': 'web-1',
  'k8s.namespace.name': 'shop',
};
const inVm: Attributes = { 'vm.name': 'guest-1' };

/** Puts the processes of the simulated machine into a pod or a virtual machine. */
export const identify = createPlans((series: readonly Series[]) =>
  series.map((one): Series => {
    const pid = one.resource.attributes['process.pid'];
    if (pid === undefined) return one;
    const place = Number(pid) % 2 === 0 ? inPod : inVm;
    return identified(one, { ...one.resource.attributes, ...place });
  }),
);

const known = new Map<Series, Series>();

function identified(series: Series, attributes: Attributes): Series {
  const other = known.get(series) ?? { ...series, resource: { attributes } };
  known.set(series, other);
  return other;
}

function gaugeOf(name: string, unit: string): Metric {
  return { name, unit, description: '', kind: 'gauge', valueType: 'double' };
}

/** Other metrics of `host` and `process`, of the machine and of this process. */
function createOthers(): Table {
  const host = { attributes: {} };
  const self = { attributes: { 'process.pid': process.pid, 'process.executable.name': 'node' } };
  const loads = ['1m', '5m', '15m'].map((span) => gaugeOf(`system.cpu.load_average.${span}`, '{thread}'));
  const memory = ['usage', 'virtual'].map((what) => gaugeOf(`process.memory.${what}`, 'By'));
  const series = [
    ...loads.map((metric) => ({ metric, resource: host, attributes: {}, start: 0n })),
    ...memory.map((metric) => ({ metric, resource: self, attributes: {}, start: 0n })),
  ];
  return createRow(series, 1_700_000_004_000_000_000n, Float64Array.from(series.keys()));
}

function create<S extends Schema>(factory: ProcessorFactory<S>, settings: object, next: Consumer) {
  return factory.create(parseSettings(factory.schema, settings), createFakeContext(), next);
}

export interface Run {
  /** Before and after the preset. */
  readonly before: TableCollector;
  readonly behind: TableCollector;
  /** The values of the page by name and labels. */
  readonly page: readonly Sample[];
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** An estimate of the host, for a machine without meters. */
const estimate: readonly Series[] = [
  {
    metric: hostEnergy,
    resource: { attributes: { 'host.name': 'simulated' } },
    attributes: describeEstimate('host', 'host', 'Host'),
    start: epoch,
  },
];

/** Replaces the meters by an estimate equal to the reading of the first meter. */
export function estimateHost(table: Table): Table {
  const { series, values } = table;
  if (series[0]?.metric.name !== hwEnergy.name) return table;
  return {
    ...table,
    series: estimate,
    values: values.filter((_, cell) => cell % series.length === 0),
  };
}

/** Passes the simulated machine, with meters or with an estimate, through attribution, power and a preset to a page. */
export async function runPreset(
  t: TestContext,
  preset: string,
  readMeters = (table: Table) => table,
): Promise<Run> {
  const [before, behind, log] = [createTableCollector(), createTableCollector(), createLogCollector()];
  const settings = parseSettings(prometheus.schema, { endpoint: 'localhost:0' });
  const exporter = prometheus.create(settings, createFakeContext({ log }));
  t.after(() => exporter.shutdown());
  await exporter.start();
  const transform = create(metricsTransform, { preset }, tee(behind, exporter));
  const watts = create(
    power,
    {
      metrics: [
        'hw.energy',
        'ledger.energy',
        'process.energy',
        'container.energy',
        'k8s.pod.energy',
        'vm.energy',
      ],
    },
    tee(before, transform),
  );
  const ledger = create(
    attribution,
    {
      views: ['process', 'container', 'pod', 'vm'],
      floor: ['cpu', 'host'].map((type) => ({ hw_type: type, power: 5 })),
    },
    watts,
  );
  for (const table of simulateTables({ spec: { faults: [] } }).tables.map(readMeters)) {
    const ended = table.ended && identify(table.ended);
    ledger.consume({ ...table, series: identify(table.series), ...(ended && { ended }) });
  }
  ledger.consume(createOthers());
  const [, origin = ''] = /(http:\/\/[^/]+)/u.exec(log.lines[0] ?? '') ?? [];
  const text = await (await fetch(`${origin}/metrics`)).text();
  return { before, behind, page: parsePage(text) };
}

function tee(...consumers: readonly Consumer[]): Consumer {
  return { consume: (table) => consumers.map((one) => one.consume(table)).every(Boolean) };
}

function parsePage(text: string): readonly Sample[] {
  return [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gmu)].map(([, name = '', labels = '', value]) => ({
    name,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/gu)].map(([, key, own]) => [key, own])),
    value: Number(value),
  }));
}

/** A metric and the labels by which an expression selects it. */
interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** Whether a series belongs to a container, a pod or a virtual machine. */
export function isNamed({ resource: { attributes } }: Series): boolean {
  return !Object.values(attributes).includes('none');
}

/** Labels that Prometheus adds to every sample. */
const ofTheScrape = new Set(['job', 'instance']);

function listSelectors(expression: string): readonly Selector[] {
  const grouped = [...expression.matchAll(/\bby\s*\(([^)]*)\)/gu)].flatMap(([, names = '']) =>
    names.split(/,\s*/u),
  );
  return [...expression.matchAll(/\b((?:kepler|scaph)_\w+)(?:\{([^}]*)\})?/gu)].map(
    ([, metric = '', matchers = '']) => ({
      metric,
      labels: [
        ...[...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/gu)].map(([, name = '']) => name),
        ...grouped,
      ].filter((name) => !ofTheScrape.has(name.trim())),
    }),
  );
}

export function checkDashboard(page: readonly Sample[], expressions: readonly string[]): void {
  for (const expression of expressions) {
    const selectors = listSelectors(expression);
    assert.ok(selectors.length > 0, expression);
    for (const { metric, labels } of selectors) {
      const found = page.filter(
        ({ name, labels: own }) => name === metric && labels.every((label) => (own[label] ?? '') !== ''),
      );
      assert.ok(found.length > 0, `no ${metric} with ${labels.join(', ')} for ${expression}`);
    }
  }
}

export const sumOf = (page: readonly Sample[], name: string) =>
  total(page.filter((sample) => sample.name === name).map(({ value }) => value));

/** The sum of the last values of a metric before the preset, except of gauges that ended before the metric's last reading. */
export function sumBefore(
  { before }: Run,
  name: string,
  isTaken: (series: Series) => boolean = () => true,
): number {
  const past = listPastGauges(before.tables, name);
  return total(
    before
      .last(name)
      .filter(({ series }) => series.attributes['hw.type'] !== 'gpu' && !past.has(series) && isTaken(series))
      .map(({ value }) => value),
  );
}

/** The time of the last row of a table in Unix nanoseconds. */
const timeOf = (table: Table) => Number(table.epoch) + (table.offsets.at(-1) ?? 0);

/** The gauges of a metric that the page no longer shows. */
function listPastGauges(tables: readonly Table[], name: string): ReadonlySet<Series> {
  const isIt = ({ metric }: Series) => metric.name === name && metric.kind !== 'counter';
  const newest = Math.max(...tables.filter(({ series }) => series.some(isIt)).map(timeOf));
  // Times of tables are rounded to less than a millisecond.
  const past = tables.filter((table) => timeOf(table) + 1e6 < newest);
  return new Set(past.flatMap(({ ended = [] }) => ended.filter(isIt)));
}

export function assertClose(found: number, expected: number, what: string): void {
  assert.ok(expected > 0, what);
  assert.ok(Math.abs(found - expected) < 1e-9 * expected, `${what}: expected ${expected}, found ${found}`);
}
