import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
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
import { checkTables } from '../src/model/check-tables.js';
import { createPlans } from '../src/model/plan.js';
import type { Attributes, Metric, Series } from '../src/model/series.js';
import { createRow, type Table } from '../src/model/table.js';
import { simulateTables } from '../src/simulation/simulated-tables.js';
import { total } from './sums.js';

const inPod: Attributes = {
  'container.id': 'c0ffee',
  'container.name': 'web',
  'k8s.pod.uid': 'a1',
  'k8s.pod.name': 'web-1',
  'k8s.namespace.name': 'shop',
};
const inVm: Attributes = { 'vm.name': 'guest-1' };

/** The simulated machine, whose processes are in a pod or in a virtual machine. */
const identify = createPlans((series: readonly Series[]) =>
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

/** What `host` and `process` say besides, of the machine and of this very process. */
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

interface Run {
  /** In front of the preset, and behind it. */
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

/** The simulated machine through attribution, power and a preset, onto a page. */
async function runPreset(t: TestContext, preset: string): Promise<Run> {
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
    { views: ['process', 'container', 'pod', 'vm'], floor: [{ hw_type: 'cpu', power: 5 }] },
    watts,
  );
  for (const table of simulateTables({ spec: { faults: [] } }).tables) {
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

/** A metric and the labels that an expression selects it by. */
interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** Whether a series is not that of the workloads without a container, a pod or a virtual machine. */
function isNamed({ resource: { attributes } }: Series): boolean {
  return !Object.values(attributes).includes('none');
}

/** What Prometheus adds to every sample. */
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

function checkDashboard(page: readonly Sample[], expressions: readonly string[]): void {
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

const sumOf = (page: readonly Sample[], name: string) =>
  total(page.filter((sample) => sample.name === name).map(({ value }) => value));

/** The last values of a metric before the preset. */
function sumBefore({ before }: Run, name: string, isTaken: (series: Series) => boolean = () => true): number {
  return total(
    before
      .last(name)
      .filter(({ series }) => series.attributes['hw.type'] !== 'gpu' && isTaken(series))
      .map(({ value }) => value),
  );
}

function assertClose(found: number, expected: number, what: string): void {
  assert.ok(expected > 0, what);
  assert.ok(Math.abs(found - expected) < 1e-9 * expected, `${what}: expected ${expected}, found ${found}`);
}

// Kepler 0.11, compose/default/grafana/dashboards/latest/dashboard.json (13944a69): every expression, and every query of a
// variable.
const keplerDashboard = [
  'count by (instance, model_name)(kepler_node_cpu_info{job="$job"})',
  'group by (node_name,zone)(kepler_node_cpu_watts{job="$job"})',
  'kepler_container_cpu_watts{job="$job", zone=~"$zone",container_name=~"$container"}',
  'kepler_node_cpu_active_watts{job="$job", instance=~"$node", zone=~"$zone"}',
  'kepler_node_cpu_idle_watts{job="$job", instance=~"$node", zone=~"$zone"}',
  'kepler_node_cpu_watts{job="$job", instance=~"$node", zone=~"$zone"}',
  'kepler_pod_cpu_watts{job="$job",pod_namespace=~"$namespace", zone=~"$zone",pod_name=~"$pod"}',
  'kepler_process_cpu_watts{job="$job", zone=~"$zone",pid="${process}"}',
  'kepler_vm_cpu_watts{job="$job", zone=~"$zone",vm_name=~"$vm"}',
  'label_values(kepler_container_cpu_watts,container_name)',
  'label_values(kepler_node_cpu_info{job="$job"}, instance)',
  'label_values(kepler_node_cpu_watts,job)',
  'label_values(kepler_node_cpu_watts{job="$job"}, zone)',
  'label_values(kepler_pod_cpu_watts{job="$job", pod_namespace=~"$namespace"},pod_name)',
  'label_values(kepler_pod_cpu_watts{job="$job"}, pod_namespace)',
  'label_values(kepler_vm_cpu_watts{job="$job"}, vm_name)',
  'query_result(label_join( count by (pid, comm) (kepler_process_cpu_watts{job="$job"}), "process", " | ", "comm", "pid" ))',
  'sum by (zone) (kepler_container_cpu_watts{job="$job", zone=~"$zone"})',
  'sum by (zone) (kepler_node_cpu_active_watts{job="$job", zone=~"$zone"})',
  'sum by (zone) (kepler_node_cpu_idle_watts{job="$job", zone=~"$zone"})',
  'sum by (zone) (kepler_node_cpu_watts{job="$job", zone=~"$zone"})',
  'sum by (zone) (kepler_pod_cpu_watts{job="$job", zone=~"$zone", pod_namespace=~"$namespace"})',
  'sum by (zone) (kepler_process_cpu_watts{job="$job", zone=~"$zone"})',
  'sum by (zone) (kepler_vm_cpu_watts{job="$job", zone=~"$zone"})',
  'topk(10,sum by (comm,zone)(kepler_process_cpu_watts{job="$job", zone=~"$zone"}))',
  'topk(10,sum by (container_name,zone)(kepler_container_cpu_watts{job="$job", zone=~"$zone"}))',
  'topk(10,sum by (pod_namespace,zone)(kepler_pod_cpu_watts{job="$job", zone=~"$zone"}))',
  'topk(10,sum by (vm_name,zone)(kepler_vm_cpu_watts{job="$job", zone=~"$zone"}))',
  // Of the dashboard for developers, compose/dev/grafana/dashboards/dev/dashboard.json: the counters.
  'rate(kepler_node_cpu_joules_total{job="${job}", zone="${zone}"}[20s])',
  'rate(kepler_node_cpu_active_joules_total{job="${job}", zone="${zone}"}[20s])',
  'rate(kepler_node_cpu_idle_joules_total{job="${job}", zone="${zone}"}[20s])',
  'sum(rate(kepler_process_cpu_joules_total{job="${job}", container_id!="", zone="${zone}"}[20s]))',
  'sum(rate(kepler_process_cpu_joules_total{pid="$pid", job="$job", zone="${zone}"}[20s]))',
  'sum(rate(kepler_container_cpu_joules_total{job="${job}", zone="${zone}"}[20s]))',
];

test("the preset kepler has what Kepler's dashboard selects, with our figures", async (t) => {
  const run = await runPreset(t, 'kepler');
  checkTables(run.behind.tables);
  checkDashboard(run.page, keplerDashboard);
  const idle = sumBefore(run, 'ledger.energy', ({ attributes }) => attributes['ledger.part'] === 'idle');
  const node = sumOf(run.page, 'kepler_node_cpu_joules_total');
  assertClose(node, sumBefore(run, 'hw.energy'), 'node');
  assertClose(sumOf(run.page, 'kepler_node_cpu_idle_joules_total'), idle, 'idle');
  assertClose(
    sumOf(run.page, 'kepler_node_cpu_active_joules_total'),
    sumBefore(run, 'ledger.energy') - idle,
    'active is attributed and unattributed energy',
  );
  for (const [ours, theirs] of [
    ['process.energy', 'kepler_process_cpu_joules_total'],
    ['vm.energy', 'kepler_vm_cpu_joules_total'],
    ['container.energy', 'kepler_container_cpu_joules_total'],
    ['k8s.pod.energy', 'kepler_pod_cpu_joules_total'],
  ] as const) {
    assertClose(sumOf(run.page, theirs), sumBefore(run, ours, isNamed), theirs);
  }
  const [{ metric }] = run.behind.last('kepler_node_cpu_active_joules_total').map(({ series }) => series);
  assert.match(metric.description, /attributed to processes or unattributed\. In Kepler/u);
});

// Scaphandre 1.0, docker-compose/dashboards/sample-dashboard.json, docker-compose/grafana/sample-dashboard.json and
// docs_src/tutorials/grafana-kubernetes-dashboard.json (04cc6ec9): every expression whose metric has a source here.
const scaphandreDashboards = [
  'scaph_domain_power_microwatts / 1000000',
  'scaph_host_load_avg_fifteen',
  'scaph_host_load_avg_five',
  'scaph_host_load_avg_one',
  'scaph_host_power_microwatts / 1000000',
  'scaph_process_memory_bytes{cmdline=~".*${process_filter}.*"}',
  'scaph_process_memory_virtual_bytes{cmdline=~".*${process_filter}.*"}',
  'scaph_process_power_consumption_microwatts{cmdline=~".*${process_filter}.*"}/1000000',
  'scaph_self_memory_bytes',
  'scaph_self_memory_virtual_bytes',
  'scaph_socket_power_microwatts / 1000000',
  'sum(avg_over_time(scaph_host_power_microwatts[1h]))/1000000',
  'sum(scaph_domain_power_microwatts) / 1000000',
  'sum(scaph_process_power_consumption_microwatts) / 1000000',
  'scaph_process_power_consumption_microwatts / 1000000 > 0.01',
  'scaph_process_power_consumption_microwatts{exe="dockerd"} / 1000000',
  'scaph_process_power_consumption_microwatts{exe=~"etcd|kube-apiserver|kube-controller|kube-proxy|kube-scheduler|kubelet"} / 1000000',
];

test("the preset scaphandre has what Scaphandre's dashboards select, with our figures", async (t) => {
  const run = await runPreset(t, 'scaphandre');
  checkTables(run.behind.tables);
  checkDashboard(run.page, scaphandreDashboards);
  const watts = sumBefore(run, 'hw.power');
  assertClose(sumOf(run.page, 'scaph_host_power_microwatts'), watts * 1e6, 'host');
  const sockets = sumBefore(run, 'hw.power', ({ attributes }) => attributes['hw.type'] === 'cpu');
  assertClose(sumOf(run.page, 'scaph_socket_power_microwatts'), sockets * 1e6, 'sockets');
  const processes = run.page.filter(({ name }) => name === 'scaph_process_power_consumption_microwatts');
  assert.ok(processes.some(({ labels }) => labels['pid'] !== undefined && labels['exe'] !== undefined));
});

test('the preset alumet has energy in joules since the last point, which add up to what was counted', async (t) => {
  const run = await runPreset(t, 'alumet');
  checkTables(run.behind.tables);
  const first = new Map<Series, number>();
  for (const { series, values } of run.before.tables) {
    for (const [cell, value] of values.entries()) {
      const one = series[cell % series.length];
      if (one.metric.name === 'hw.energy' && !Number.isNaN(value) && !first.has(one)) first.set(one, value);
    }
  }
  const sums = new Map<unknown, number>();
  for (const { series, values } of run.behind.tables) {
    for (const [cell, value] of values.entries()) {
      const { metric, attributes } = series[cell % series.length];
      const key = `${String(attributes['resource_kind'])} ${String(attributes['resource_id'])}`;
      if (metric.name !== 'rapl_consumed_energy' || Number.isNaN(value)) continue;
      assert.equal(metric.kind, 'gauge');
      sums.set(key, (sums.get(key) ?? 0) + value);
    }
  }
  const meters = [...first].filter(([{ attributes }]) => attributes['hw.type'] !== 'gpu');
  const begun = total(meters.map(([, value]) => value));
  assert.ok(sums.has('cpu_package 0') && sums.has('dram 0'), [...sums.keys()].join());
  assertClose(total([...sums.values()]), sumBefore(run, 'hw.energy') - begun, 'rapl_consumed_energy');
});
