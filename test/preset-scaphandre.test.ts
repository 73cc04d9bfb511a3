import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../src/model/check-tables.js';
import type { Series } from '../src/model/series.js';
import { scaphandreDashboards } from './peer-dashboards.js';
import {
  assertClose,
  checkDashboard,
  estimateHost,
  runPreset,
  sumBefore,
  sumOf,
} from './preset-run.fixture.js';

const isCpu = ({ attributes }: Series) => attributes['hw.type'] === 'cpu';

test("the preset scaphandre has the series that Scaphandre's dashboards select, with our values", async (t) => {
  const run = await runPreset(t, 'scaphandre');
  checkTables(run.behind.tables);
  checkDashboard(run.page, scaphandreDashboards);
  const watts = sumBefore(run, 'hw.power');
  assertClose(sumOf(run.page, 'scaph_host_power_microwatts'), watts * 1e6, 'host');
  const sockets = sumBefore(run, 'hw.power', isCpu);
  assertClose(sumOf(run.page, 'scaph_socket_power_microwatts'), sockets * 1e6, 'sockets');
  const domains = sumBefore(run, 'hw.power', ({ attributes }) => attributes['hw.type'] !== 'cpu');
  assertClose(sumOf(run.page, 'scaph_domain_power_microwatts'), domains * 1e6, 'domains');
  const [ofAll, ofSockets] = [sumBefore(run, 'hw.energy'), sumBefore(run, 'hw.energy', isCpu)];
  assertClose(sumOf(run.page, 'scaph_host_energy_microjoules'), ofAll * 1e6, 'energy of the host');
  assertClose(sumOf(run.page, 'scaph_socket_energy_microjoules'), ofSockets * 1e6, 'energy of sockets');
  const ofDomains = sumOf(run.page, 'scaph_domain_energy_microjoules');
  assertClose(ofDomains, (ofAll - ofSockets) * 1e6, 'energy of domains');
  const ofProcesses = sumBefore(run, 'process.power');
  assertClose(sumOf(run.page, 'scaph_process_power_consumption_microwatts'), ofProcesses * 1e6, 'processes');
  const processes = run.page.filter(({ name }) => name === 'scaph_process_power_consumption_microwatts');
  assert.ok(processes.some(({ labels }) => labels['pid'] !== undefined && labels['exe'] !== undefined));
});

test('the preset scaphandre has the estimated power of a host', async (t) => {
  const run = await runPreset(t, 'scaphandre', estimateHost);
  checkTables(run.behind.tables);
  const watts = sumOf(run.page, 'scaph_host_power_microwatts') / 1e6;
  assertClose(watts, sumBefore(run, 'ledger.power'), 'host');
  const name = 'scaph_process_power_consumption_microwatts';
  assertClose(sumOf(run.page, name) / 1e6, sumBefore(run, 'process.power'), 'processes');
});
