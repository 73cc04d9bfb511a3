import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../src/model/check-tables.js';
import {
  assertClose,
  checkDashboard,
  estimateHost,
  runPreset,
  sumBefore,
  sumOf,
} from './preset-run.fixture.js';

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

test('the preset scaphandre has the power of a host that is estimated', async (t) => {
  const run = await runPreset(t, 'scaphandre', estimateHost);
  checkTables(run.behind.tables);
  const watts = sumOf(run.page, 'scaph_host_power_microwatts') / 1e6;
  assertClose(watts, sumBefore(run, 'ledger.power'), 'host');
  const name = 'scaph_process_power_consumption_microwatts';
  assertClose(sumOf(run.page, name) / 1e6, sumBefore(run, 'process.power'), 'processes');
});
