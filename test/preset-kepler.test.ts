import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../src/model/check-tables.js';
import type { Series } from '../src/model/series.js';
import { keplerDashboard } from './peer-dashboards.js';
import {
  assertClose,
  checkDashboard,
  estimateHost,
  isNamed,
  runPreset,
  sumBefore,
  sumOf,
} from './preset-run.fixture.js';

function isIdle({ attributes }: Series): boolean {
  return attributes['ledger.part'] === 'idle';
}

test("the preset kepler has the series that Kepler's dashboard selects, with our values", async (t) => {
  const run = await runPreset(t, 'kepler');
  checkTables(run.behind.tables);
  checkDashboard(run.page, keplerDashboard);
  const idle = sumBefore(run, 'ledger.energy', isIdle);
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
  for (const [theirs, watts] of [
    ['kepler_node_cpu_watts', sumBefore(run, 'hw.power')],
    ['kepler_node_cpu_idle_watts', sumBefore(run, 'ledger.power', isIdle)],
    ['kepler_node_cpu_active_watts', sumBefore(run, 'ledger.power', (series) => !isIdle(series))],
    ['kepler_process_cpu_watts', sumBefore(run, 'process.power', isNamed)],
    ['kepler_vm_cpu_watts', sumBefore(run, 'vm.power', isNamed)],
    ['kepler_container_cpu_watts', sumBefore(run, 'container.power', isNamed)],
    ['kepler_pod_cpu_watts', sumBefore(run, 'k8s.pod.power', isNamed)],
  ] as const) {
    assertClose(sumOf(run.page, theirs), watts, theirs);
  }
  const [{ metric }] = run.behind.last('kepler_node_cpu_active_joules_total').map(({ series }) => series);
  assert.match(metric.description, /attributed to processes or unattributed\. In Kepler/u);
});

test('the preset kepler has the estimated energy of a host in a separate zone', async (t) => {
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
