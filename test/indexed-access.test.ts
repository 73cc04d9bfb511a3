import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/**
 * The files in which `list[index]` may be assumed to exist, although the compiler cannot prove it: their loops
 * read typed arrays by index for each point, reading, task or word, where a check per element would cost time.
 * All other code handles a missing element: `for-of`, destructuring with a default, `elementAt` of
 * `src/element.ts`. The rule does not apply to tests and benchmarks, where a missing element fails the test.
 */
const hotFiles: Readonly<Record<string, readonly string[]>> = {
  'once for each point of a table': [
    'docs/examples/processor-scale/factory.ts',
    'exporters/postgres/copy-rows.ts',
    'exporters/prometheus/block.ts',
    'exporters/prometheus/families.ts',
    'exporters/prometheus/snapshot.ts',
    'exporters/prometheus/store.ts',
    'exporters/prometheus_remote_write/encoder.ts',
    'processors/aggregation/counters.ts',
    'processors/aggregation/open-windows.ts',
    'processors/aggregation/quantile.ts',
    'processors/aggregation/sources.ts',
    'processors/aggregation/targets.ts',
    'processors/aggregation/window.ts',
    'processors/aggregation/windowed-readings.ts',
    'processors/attribution/meter.ts',
    'processors/estimation/estimation.ts',
    'processors/formula/expression.ts',
    'processors/formula/groups.ts',
    'processors/interval/last-row.ts',
    'processors/metrics_transform/expansion.ts',
    'processors/power/metered-source.ts',
    'processors/power/power-columns.ts',
    'receivers/prometheus/number-text.ts',
    'receivers/prometheus/page-parser.ts',
    'receivers/prometheus/reset-watch.ts',
    'receivers/prometheus/page-series.ts',
    'receivers/prometheus/stamped-rows.ts',
    'receivers/otlp/histogram-fields.ts',
    'receivers/otlp/histogram-reader.ts',
    'receivers/otlp/histogram-writer.ts',
    'receivers/otlp/rows.ts',
    'receivers/otlp/series-lifecycle.ts',
    'receivers/otlp/table-writer.ts',
    'processors/thin/swinging-door.ts',
    'receivers/rapl/counter-gate.ts',
    'src/export/line-batcher.ts',
    'src/rating/rated-energy.ts',
    'src/sql/sql-batcher.ts',
    'src/sql/sqlite-file.ts',
    'src/model/add-histograms.ts',
    'src/model/check-histograms.ts',
    'src/model/distribution.ts',
    'src/model/histogram-table.ts',
    'src/model/map-series.ts',
    'src/energy/knot-finder.ts',
    'src/energy/refresh-bound.ts',
    'src/model/mapped-series.ts',
    'src/model/one-publisher.ts',
    'src/model/table.ts',
    'src/otlp/histogram-encoder.ts',
    'src/otlp/histogram-point.ts',
    'src/otlp/deltas.ts',
    'src/otlp/request-writer.ts',
    'src/otlp/wire-cursor.ts',
    'src/windows/aligned-windows.ts',
    'src/windows/windowed-source.ts',
    'src/recording/csv-encoder.ts',
    'src/recording/json-lines-encoder.ts',
    'src/recording/json-lines-scanner.ts',
    'src/recording/parquet-rows.ts',
  ],
  'once for each workload and window': [
    'processors/attribution/audit-sheet.ts',
    'src/usage/counted-events.ts',
    'processors/attribution/domain-weights.ts',
    'processors/attribution/domain.ts',
    'src/usage/group-division.ts',
    'processors/attribution/hardware.ts',
    'processors/attribution/ledger-plan.ts',
    'processors/attribution/ledger.ts',
    'src/usage/memory-traffic.ts',
    'src/usage/packages.ts',
    'src/usage/publication.ts',
    'processors/attribution/split.ts',
    'src/usage/usage.ts',
    'src/usage/weighing.ts',
    'src/usage/workloads.ts',
    'processors/work/division.ts',
    'processors/work/unit-carbon.ts',
    'processors/work/parts.ts',
    'processors/work/workload.ts',
    'src/energy/knots.ts',
    'src/energy/non-negative-least-squares.ts',
    'src/energy/share.ts',
  ],
  'once for each tick of a sampler': [
    'receivers/perf/layout.ts',
    'receivers/perf/scaled-counts.ts',
    'receivers/rapl/perf-counters.ts',
    'receivers/rapl/powercap-counters.ts',
    'receivers/rapl/sampler.ts',
    'receivers/simulator/sampler.ts',
    'src/linux/clocks.ts',
    'src/linux/perf/counter-group.ts',
    'src/sampling/row-buffer.ts',
  ],
  'once for each task, cgroup, CPU or device of a scrape': [
    'receivers/cgroup/cgroup-part.ts',
    'receivers/cgroup/cpu-files.ts',
    'receivers/cgroup/file-reader.ts',
    'receivers/cgroup/keyed-lines.ts',
    'receivers/cgroup/slots.ts',
    'receivers/cgroup/cpuacct.ts',
    'receivers/process/brief-processes.ts',
    'receivers/process/package-times.ts',
    'receivers/process/process-part.ts',
    'receivers/process/process-values.ts',
    'receivers/process/tracked-process.ts',
    'src/linux/bpf/accounted-process.ts',
    'src/linux/bpf/ended-threads.ts',
    'src/linux/bpf/process-pass.ts',
    'src/linux/bpf/process-table.ts',
    'src/linux/bpf/thread-pass.ts',
    'src/linux/bpf/package-record.ts',
    'src/linux/bpf/read-long.ts',
    'src/linux/bpf/switch-slots.ts',
    'src/linux/bpf/process-rows.ts',
    'src/linux/bpf/process-details.ts',
    'src/linux/bpf/tree-accounting.ts',
    'src/linux/cpu-usage.ts',
    'src/linux/process-stat.ts',
    'src/linux/procfs.ts',
    'src/scraping/counter-table.ts',
    'src/scraping/counts.ts',
  ],
  "once for each of the millions of words of the kernel's types, while exec starts": [
    'src/linux/bpf/kernel-types.ts',
  ],
};

const root = fileURLToPath(new URL('../../', import.meta.url));

/** An access that the compiler reports as possibly undefined. */
interface Unchecked {
  readonly path: string;
  /** `path:line: message` */
  readonly text: string;
}

async function findUnchecked(): Promise<readonly Unchecked[]> {
  const output = await new Promise<string>((resolve) => {
    const flags = ['--noEmit', '--noUncheckedIndexedAccess', '--pretty', 'false'];
    const options = { cwd: root, maxBuffer: 2 ** 26 };
    execFile(process.execPath, ['node_modules/typescript/bin/tsc', ...flags], options, (_, stdout) => {
      resolve(stdout);
    });
  });
  return [...output.matchAll(/^(\S+)\((\d+),\d+\): error (.*)$/gmu)]
    .map(([, path = '', line, message]) => ({ path, text: `${path}:${line}: ${message}` }))
    .filter(({ path }) => !/^(?:test|bench)\/|\.(?:test|fixture)\.ts$/u.test(path));
}

test('code handles missing elements of a list, except in the hot files', async () => {
  const listed = Object.values(hotFiles).flat();
  const found = await findUnchecked();
  assert.deepEqual(
    found.filter(({ path }) => !listed.includes(path)).map(({ text }) => text),
    [],
  );
  const places = new Set(found.map(({ path }) => path));
  assert.deepEqual(
    listed.filter((path) => !places.has(path)),
    [],
    'These files take no element for granted: remove them from the list',
  );
});
