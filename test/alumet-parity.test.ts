import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseTable } from '../src/contract/readme.js';
import { loadComponentFolders, repositoryRoot } from './component-folders.js';

/** A metric of ours that corresponds to one of ALUMET's. */
interface Row {
  readonly metric: string;
  readonly unit: string;
  /** `receivers/rapl`. */
  readonly component: string;
  /** `receivers/rapl/receiver.test.ts`. */
  readonly test: string;
}

const page = readFileSync(new URL('docs/alumet-parity.md', repositoryRoot), 'utf8');

test('every metric that corresponds to one of ALUMET is published with its unit by the component in its row', async () => {
  const rows = listRows(page);
  assert.ok(rows.length > 40, `${rows.length} rows`);
  const published = new Set(
    (await loadComponentFolders()).flatMap(({ kind, type, factory }) =>
      ('metrics' in factory ? (factory.metrics ?? []) : []).map(
        ({ name, unit }) => `${name} ${unit} ${kind}s/${type}`,
      ),
    ),
  );
  const missing = rows.filter(
    ({ metric, unit, component }) => !published.has(`${metric} ${unit} ${component}`),
  );
  assert.deepEqual(missing, []);
});

test('every metric that corresponds to one of ALUMET has a test that mentions it', () => {
  const silent = listRows(page).filter(({ metric, test: path }) => {
    const text = readFileSync(fileURLToPath(new URL(path, repositoryRoot)), 'utf8');
    // Tests of processes name metrics without the prefix that all of them have.
    return !text.includes(metric) && !text.includes(`'${metric.replace(/^process\./u, '')}'`);
  });
  assert.deepEqual(silent, []);
});

test('every metric that corresponds to one of ALUMET is in docs/metrics.md with its unit', () => {
  const listed = new Set(
    parseTable(readFileSync(new URL('docs/metrics.md', repositoryRoot), 'utf8')).map(
      ([name = '', unit = '']) => `${name} ${unit}`,
    ),
  );
  const missing = listRows(page).filter(({ metric, unit }) => !listed.has(`\`${metric}\` \`${unit}\``));
  assert.deepEqual(missing, []);
});

/** The metrics of ALUMET's source plugins, proposed ones included. Names that its configuration chooses are examples. */
const alumetMetrics = `
  rapl_consumed_energy nvml_energy_consumption nvml_instant_power nvml_temperature_gpu
  nvml_gpu_utilization nvml_memory_utilization nvml_gpu_memory_info nvml_decoder_utilization
  nvml_encoder_utilization nvml_decoder_sampling_period nvml_encoder_sampling_period
  nvml_n_compute_processes nvml_n_graphic_processes nvml_sm_utilization nvml_used_gpu_memory
  nvml_clock_info nvml_gpm_* input_current input_voltage input_power grace_instant_power
  grace_energy_consumption amd_gpu_activity_usage amd_gpu_energy_consumption amd_gpu_memory_usage
  amd_gpu_power_consumption amd_gpu_temperature amd_gpu_voltage
  amd_gpu_process_compute_unit_occupancy amd_gpu_process_memory_usage
  amd_gpu_process_memory_usage_vram amd_gpu_process_engine_usage_encode amd_gpu_process_engine_gfx
  disk_power wattmetre_power_watt lm_sensors_temperature kernel_cpu_time kernel_context_switches
  kernel_new_forks kernel_n_procs_running kernel_n_procs_blocked mem_total mem_free mem_available
  cached swap_cached active inactive mapped network_bytes network_packets network_packet_drops
  network_errors cpu_time_delta cpu_percent memory_usage perf_* memory_max cgroup_memory_anonymous
  cgroup_memory_file cgroup_memory_kernel_stack cgroup_memory_swap_current cgroup_memory_swap_max
  cgroup_slab_reclaimable cgroup_pswpin cgroup_pswpout io_pressure_some_total io_pressure_full_total
`;

test('every metric of the source plugins of ALUMET has a row', () => {
  const cells = page.split(/^## /mu).flatMap((section) => parseTable(section).map(([theirs = '']) => theirs));
  const named = cells.join('\n');
  assert.deepEqual(
    alumetMetrics
      .trim()
      .split(/\s+/u)
      .filter((name) => !named.includes(`\`${name}\``)),
    [],
  );
});

/** The transforms of ALUMET 0.9.5, and of its plugins for Kubernetes and batch schedulers. */
const transforms = [
  'energy-attribution',
  'process-to-cgroup-bridge',
  'k8s-annotation',
  'slurm',
  'oar',
  'energy-estimation-tdp',
  'filter',
  'energy-to-carbon',
  'aggregation',
];

test('every transform of ALUMET has a row that links to a processor', () => {
  const section = page.split(/^## /mu).find((text) => text.startsWith('Transforms')) ?? '';
  const rows = parseTable(section).flatMap(([names = '', ours = '']) =>
    linkOf(ours).startsWith('processors/')
      ? [...names.matchAll(/`(?<name>[^`]+)`/gu)].map(
          ({ groups }) => [groups?.['name'], linkOf(ours)] as const,
        )
      : [],
  );
  assert.deepEqual(
    rows.map(([name]) => name),
    transforms,
  );
  for (const [, folder] of rows) assert.ok(existsSync(new URL(folder, repositoryRoot)), folder);
});

function listRows(text: string): readonly Row[] {
  return text
    .split(/^## /mu)
    .flatMap((section) => parseTable(section))
    .flatMap((cells) => {
      const [, , ours = '', unit = '', component = '', testLink = ''] = cells;
      const metric = /^`(?<name>[^`]+)`/u.exec(ours)?.groups?.['name'];
      if (metric === undefined) return [];
      return { metric, unit: unit.replaceAll('`', ''), component: linkOf(component), test: linkOf(testLink) };
    });
}

/** The target of a link, relative to the repository. */
function linkOf(cell: string): string {
  return /\]\(\.\.\/(?<target>[^)]+)\)/u.exec(cell)?.groups?.['target'] ?? '';
}
