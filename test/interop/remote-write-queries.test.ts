import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { factory } from '../../exporters/prometheus_remote_write/factory.js';
import { startExporter } from '../../src/export/exporter.fixture.js';
import type { Metric, Series } from '../../src/model/series.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { isWithout, type PeerName } from './peers.js';
import { startPrometheus, type Sample } from './prometheus.js';

const readme = fileURLToPath(
  new URL('../../../exporters/prometheus_remote_write/README.md', import.meta.url),
);
const queries = Array.from(
  readFileSync(readme, 'utf8').matchAll(/```promql\n(.*?)```/gsu),
  ([, text = '']) => text,
);

const endpoint = 'http://localhost:9090/api/v1/write';
const everyMs = 15_000;
const lastMs = 600_000;
const toNs = (ms: number) => BigInt(Math.round(ms)) * 1_000_000n;

/** Counters with a constant power, in watts. */
interface Load {
  readonly series: Series;
  readonly watts: number;
}

const counter = (name: string): Metric => ({
  name,
  unit: 'J',
  description: 'Energy used',
  kind: 'counter',
  valueType: 'double',
});

/** Two machines with two packages each, and twelve programs on the first, one of which runs as two instances. */
function createLoads(startNs: bigint): readonly Load[] {
  const machines = ['node-1', 'node-2'].map((name) => ({ 'host.name': name, 'os.type': 'linux' }));
  const packages = machines.flatMap((attributes, machine) =>
    [10, 20].map((watts, i) => ({
      watts: watts + 100 * machine,
      series: {
        metric: counter('hw.energy'),
        resource: { attributes },
        attributes: { 'hw.id': `package-${i}`, 'hw.type': 'cpu' },
        start: startNs,
      },
    })),
  );
  const programs = Array.from({ length: 13 }, (_, i) => ({
    watts: i + 1,
    series: {
      metric: counter('process.energy'),
      resource: {
        attributes: {
          ...machines[0],
          'process.executable.name': `program-${Math.min(i, 11)}`,
          'process.pid': 100 + i,
        },
      },
      attributes: {},
      start: startNs,
    },
  }));
  return [...packages, ...programs];
}

async function send(t: TestContext, endMs: number): Promise<void> {
  const beginMs = endMs - lastMs;
  const loads = createLoads(toNs(beginMs));
  const series = loads.map((one) => one.series);
  const { exporter, log, read } = await startExporter(t, factory, { endpoint });
  for (let ms = 0; ms <= lastMs; ms += everyMs) {
    const values = Float64Array.from(loads, ({ watts }) => (watts * ms) / 1000);
    exporter.consume({ series, epoch: toNs(beginMs + ms), offsets: new Float64Array(1), values });
  }
  await exporter.shutdown();
  assert.equal((await read())['otelcol_exporter_send_failed_metric_points{otlp}'], 0, log.lines.join('\n'));
}

/** Within 1 %: Prometheus extrapolates at the ends of a range. */
function assertNear(actual: number | undefined, expected: number): void {
  const isNear = actual !== undefined && Math.abs(actual - expected) <= 0.01 * expected;
  assert.ok(isNear, `${actual}, expected ${expected}`);
}

function find(samples: readonly Sample[], labels: Readonly<Record<string, string>>): Sample | undefined {
  const found = samples.filter((one) =>
    Object.entries(labels).every(([name, value]) => one.labels[name] === value),
  );
  assert.ok(found.length <= 1, `${found.length} of ${JSON.stringify(labels)}`);
  return found[0];
}

for (const peer of ['prometheus', 'prometheus-otlp'] as const satisfies readonly PeerName[]) {
  test(
    `the queries of the README return in ${peer} the values that were sent`,
    { skip: isWithout(peer) },
    async (t) => {
      const config = join(createFolder(), 'prometheus.yml');
      writeFileSync(config, 'global: {}');
      const prometheus = await startPrometheus(t, peer, config, ['--web.enable-remote-write-receiver']);
      await send(t, Date.now());
      const [watts = '', kilowattHours = '', programs = '', ...others] = queries;
      assert.deepEqual(others, []);

      const ofPackages = await prometheus.query(watts);
      assert.equal(ofPackages.length, 4);
      for (const [instance, base] of Object.entries({ 'node-1': 0, 'node-2': 100 }))
        for (const [id, own] of Object.entries({ 'package-0': 10, 'package-1': 20 }))
          assertNear(find(ofPackages, { instance, hw_id: id })?.value, base + own);

      const ofMachines = await prometheus.query(kilowattHours);
      assert.equal(ofMachines.length, 2);
      for (const [instance, sum] of Object.entries({ 'node-1': 30, 'node-2': 230 }))
        assertNear(find(ofMachines, { instance, os_type: 'linux' })?.value, (sum * lastMs) / 1000 / 3.6e6);

      const most = await prometheus.query(programs);
      assert.equal(most.length, 10);
      const order = most.map(({ labels }) => labels['process_executable_name']);
      assert.deepEqual(
        order,
        Array.from({ length: 10 }, (_, i) => `program-${11 - i}`),
      );
      // Two processes of one program.
      assertNear(most[0]?.value, ((12 + 13) * lastMs) / 1000);
      assertNear(most[9]?.value, (3 * lastMs) / 1000);
      t.diagnostic(await prometheus.version());
    },
  );
}
