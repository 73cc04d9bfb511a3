import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../src/model/check-tables.js';
import {
  assertClose,
  checkDashboard,
  estimateHost,
  isNamed,
  runPreset,
  sumBefore,
  sumOf,
} from './preset-run.fixture.js';

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

test('the preset kepler has the energy of a host that is estimated in a zone of its own', async (t) => {
  const run = await runPreset(t, 'kepler', estimateHost);
  checkTables(run.behind.tables);
  checkDashboard(run.page, keplerDashboard);
  const zones = run.page.flatMap(({ labels }) => labels['zone'] ?? []);
  assert.deepEqual([...new Set(zones)], ['host']);
  const node = sumOf(run.page, 'kepler_node_cpu_joules_total');
  assertClose(node, sumBefore(run, 'ledger.energy'), 'node');
  assertClose(node, sumBefore(run, 'hw.host.energy'), 'node as estimated');
  const processes = sumOf(run.page, 'kepler_process_cpu_joules_total');
  assertClose(processes, sumBefore(run, 'process.energy'), 'processes');
});
