import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPlans } from '../../src/model/plan.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { JsonLinesEncoder } from '../../src/recording/json-lines-encoder.js';
import { simulateTables } from '../../src/simulation/simulated-tables.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { startAgent, writeConfig } from '../agent.js';
import { keplerDashboard, scaphandreDashboards } from '../peer-dashboards.js';
import { identify } from '../preset-run.fixture.js';
import { isWithout } from './peers.js';
import { startPrometheus, type Prometheus, type Sample } from './prometheus.js';

// Queries of the published dashboards of other tools, run by a real Prometheus that scrapes an agent that
// replays a simulated machine.

const seconds = 180;
/** Exceeds the maximum power of the simulated machine. */
const maxWatts = 2000;

/** Programs of the machine, renamed to programs for which a dashboard has dedicated panels. */
const renamed: Readonly<Record<string, string>> = { postgres: 'dockerd', nginx: 'kubelet' };

const rename = createPlans((series: Series): Series => {
  const { attributes } = series.resource;
  const name = renamed[String(attributes['process.executable.name'])];
  if (name === undefined) return series;
  return { ...series, resource: { attributes: { ...attributes, 'process.executable.name': name } } };
});

const nameAll = createPlans((series: readonly Series[]) => identify(series).map(rename));

/** A recording of the simulated machine, whose processes are in a pod or in a virtual machine. */
function writeRecording(): string {
  const path = join(createFolder(), 'machine.json');
  const encoder = new JsonLinesEncoder();
  for (const table of simulateTables({ spec: { faults: [] }, seconds }).tables) {
    const ended: Pick<Table, 'ended'> = table.ended ? { ended: nameAll(table.ended) } : {};
    encoder.add({ ...table, series: nameAll(table.series), ...ended });
  }
  writeFileSync(path, encoder.take());
  return path;
}

/** Starts an agent that replays the machine through a preset, and a Prometheus that scrapes it. */
async function start(t: TestContext, preset: string): Promise<Prometheus> {
  const config = writeConfig(`
receivers:
  replay: {files: [${writeRecording()}], speed: 1, times: now, at_end: wait}
  host: {groups: {cpu: false, memory: false, network: false, disk: false, pressure: false, frequency: false}}
  process: {metrics: {cpu: false, count: false, threads: false}}
processors:
  attribution:
    views: [process, program, container, pod, vm]
    floor: [{hw_type: cpu, power: 5}]
  power:
    window: 5s
    metrics: [hw.energy, ledger.energy, process.energy, container.energy, k8s.pod.energy, vm.energy]
  metrics_transform: {preset: ${preset}}
exporters: {prometheus: {endpoint: "localhost:9464"}}
service:
  pipelines:
    metrics:
      receivers: [replay, host, process]
      processors: [attribution, power, metrics_transform]
      exporters: [prometheus]
  telemetry: {metrics: {level: none}}
`);
  const agent = startAgent(['run', '-c', config]);
  t.after(() => agent.stop('SIGKILL'));
  await agent.waitFor(/Serving metrics at (\S+)/u);
  const scrapes = writeConfig(`
global: {scrape_interval: 1s}
scrape_configs: [{job_name: joulemetry, static_configs: [{targets: ["localhost:9464"]}]}]
`);
  return startPrometheus(t, 'prometheus', scrapes);
}

/** The samples of an expression, as soon as there are any. */
async function waitForData(prometheus: Prometheus, expression: string): Promise<readonly Sample[]> {
  let samples: readonly Sample[] = [];
  await until(async () => {
    samples = (await prometheus.query(expression)).filter(({ value }) => Number.isFinite(value));
    if (samples.length === 0) await sleep(500);
    return samples.length > 0;
  }).catch((cause: unknown) => {
    throw new Error(`Cannot get data for ${expression}`, { cause });
  });
  return samples;
}

/** The query that Grafana sends for that of a variable. */
function plainQuery(expression: string): string {
  const [, selector = '', label = ''] = /^label_values\((.*),\s*(\w+)\)$/u.exec(expression) ?? [];
  if (label !== '')
    return `group by (${label}) (${selector}) unless group by (${label}) (${selector.replace(/\{.*\}$/u, '')}{${label}=""})`;
  return /^query_result\((.*)\)$/u.exec(expression)?.[1] ?? expression;
}

/** Replaces variables of a dashboard by values, or by a pattern that matches all. */
function fillIn(expression: string, values: Readonly<Record<string, string>>): string {
  return expression.replaceAll(
    /\$(?:\{(\w+)\}|(\w+))/gu,
    (_, braced?: string, plain?: string) => values[braced ?? plain ?? ''] ?? '.*',
  );
}

async function sumOf(prometheus: Prometheus, expression: string): Promise<number> {
  const [sample] = await waitForData(prometheus, `sum(${expression})`);
  return sample?.value ?? NaN;
}

test(
  "every query of Kepler's dashboards has rows with the preset kepler",
  { skip: isWithout('prometheus'), timeout: 170_000 },
  async (t) => {
    const prometheus = await start(t, 'kepler');
    const [process] = await waitForData(prometheus, 'kepler_process_cpu_watts{zone="package"} > 0');
    const { zone = '', pid = '' } = process?.labels ?? {};
    const values = { job: 'joulemetry', zone, pid, process: pid };
    for (const expression of keplerDashboard) {
      const samples = await waitForData(prometheus, fillIn(plainQuery(expression), values));
      const least = Math.min(...samples.map(({ value }) => value));
      const most = Math.max(...samples.map(({ value }) => value));
      assert.ok(least >= 0 && most < maxWatts, `${expression}: from ${least} to ${most}`);
    }
    // The ledger is a window behind the meter: the longer both have counted, the closer the sum of the parts is
    // to the whole.
    const share =
      '(sum(kepler_node_cpu_active_joules_total) + sum(kepler_node_cpu_idle_joules_total)) / sum(kepler_node_cpu_joules_total)';
    let found = NaN;
    await until(async () => {
      found = await sumOf(prometheus, share);
      await sleep(500);
      return Math.abs(found - 1) < 0.1;
    });
    const joules = await sumOf(prometheus, 'kepler_node_cpu_joules_total');
    const ofProcesses = await sumOf(prometheus, 'kepler_process_cpu_joules_total');
    t.diagnostic(
      `${keplerDashboard.length} queries, ${found} of ${joules} J are active or idle, of processes ${ofProcesses} J`,
    );
    assert.ok(ofProcesses > 0 && ofProcesses <= joules);
  },
);

test(
  "every query of Scaphandre's dashboards has rows with the preset scaphandre",
  { skip: isWithout('prometheus'), timeout: 170_000 },
  async (t) => {
    const prometheus = await start(t, 'scaphandre');
    for (const expression of scaphandreDashboards) {
      const samples = await waitForData(
        prometheus,
        fillIn(expression, { process_filter: '', __rate_interval: '20s' }),
      );
      const isPower = expression.includes('microwatts');
      const wrong = samples.filter(({ value }) => value < 0 || (isPower && value > maxWatts));
      assert.deepEqual(wrong, [], expression);
    }
    // The power of processes is a window behind that of the host, so means over several windows are compared.
    const ofProcesses = 'sum(scaph_process_power_consumption_microwatts)[25s:1s]';
    await until(async () => (await sumOf(prometheus, `count_over_time(${ofProcesses})`)) >= 24);
    const host = await sumOf(prometheus, 'avg_over_time(scaph_host_power_microwatts[25s:1s])');
    const processes = await sumOf(prometheus, `avg_over_time(${ofProcesses})`);
    t.diagnostic(
      `${scaphandreDashboards.length} queries, ${host / 1e6} W, of processes ${processes / 1e6} W on average`,
    );
    assert.ok(host > 1e6 && processes > 0 && processes <= 1.1 * host);
  },
);

/** ALUMET publishes no dashboard: these queries select by the labels of its points. */
const alumetQueries = [
  'rapl_consumed_energy_joules{resource_kind="cpu_package", resource_consumer_kind="local_machine", domain="package"}',
  'sum by (resource_id) (rapl_consumed_energy_joules{resource_kind="dram"})',
  'sum by (domain) (sum_over_time(rapl_consumed_energy_joules[10s]))',
  'topk(5, sum by (resource_consumer_id) (attributed_energy_joules{resource_consumer_kind="process"}))',
  'memory_usage_bytes{resource_consumer_kind="process"}',
  'nvml_energy_consumption_mJ{resource_kind="gpu"}',
];

test(
  'Prometheus finds the metrics of the preset alumet by the names and labels of ALUMET',
  { skip: isWithout('prometheus'), timeout: 170_000 },
  async (t) => {
    const prometheus = await start(t, 'alumet');
    for (const expression of alumetQueries) {
      const samples = await waitForData(prometheus, expression);
      assert.ok(
        samples.every(({ value }) => value >= 0),
        expression,
      );
    }
  },
);
