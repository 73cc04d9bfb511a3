import { factory } from '../processors/attribution/factory.js';
import type { Consumer } from '../src/component/consumer.js';
import { createFakeContext } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import type { Metric, Resource, Series } from '../src/model/series.js';
import { busyTime, hwEnergy, processCpuTime } from '../src/model/shared-metrics.js';
import { createRow, type Table } from '../src/model/table.js';
import { Batcher } from '../src/otlp/batcher.js';
import { median, type Benchmark, type Result } from './benchmark.js';

const minPointsPerSecond = 2e6;
const rounds = 5;
const ticks = 100;
const tickNs = 1e8;
const host: Resource = { attributes: { 'host.name': 'node-1', 'host.id': 'a1b2c3', 'os.type': 'linux' } };
const epoch = 1_795_000_000_000_000_000n;

/** What the receivers pass on in a tenth of a second. */
interface Load {
  readonly what: string;
  /** Rows of a table with the energy of four domains. */
  readonly energyRows: number;
  readonly processes: number;
}

const loads: readonly Load[] = [
  { what: 'RAPL at 10 kHz', energyRows: 1000, processes: 0 },
  { what: 'RAPL at 10 kHz, 300 processes at 10 Hz', energyRows: 1000, processes: 300 },
  { what: '1000 processes at 10 Hz', energyRows: 1, processes: 1000 },
];

/** From the tables of receivers, through the attribution, to encoded requests: points per second of CPU time. */
export const wholePath: Benchmark = {
  name: 'whole-path',
  async measure() {
    const results: Result[] = [];
    for (const load of loads) results.push(await measureLoad(load));
    return results;
  },
};

async function measureLoad(load: Load): Promise<Result> {
  const tables = createTables(load);
  const rates: number[] = [];
  // The first run is for the compiler.
  for (let round = 0; round <= rounds; round += 1) {
    const rate = await run(tables);
    if (round > 0) rates.push(rate);
  }
  const ours = median(rates);
  return {
    what: `Attribute and encode: ${load.what}`,
    unit: 'points/s',
    ours,
    reference: undefined,
    ratio: undefined,
    budget: 'at least 2,000,000',
    met: ours >= minPointsPerSecond,
  };
}

async function run(tables: readonly Table[]): Promise<number> {
  let points = 0;
  const batcher = new Batcher({ maxPoints: 8192, maxBytes: 3.5 * 2 ** 20 }, (request) => {
    points += request.points;
    request.release?.();
  });
  const exporter: Consumer = {
    consume(table) {
      batcher.add(table);
      return true;
    },
  };
  const attribution = factory.create(parseSettings(factory.schema, {}), createFakeContext(), exporter);
  await attribution.start();
  const before = process.cpuUsage();
  for (const table of tables) attribution.consume(table);
  batcher.flush();
  const { user, system } = process.cpuUsage(before);
  await attribution.shutdown();
  return points / ((user + system) / 1e6);
}

function createTables({ energyRows, processes }: Load): readonly Table[] {
  const energy = ['package-0', 'package-1', 'dram-0', 'dram-1'].map((id) => createEnergy(id));
  const scan = Array.from({ length: processes }, (_, pid) => createProcess(pid)).flat();
  const busy = [createSeries(busyTime, host)];
  return Array.from({ length: ticks }, (_, tick) => [
    createEnergyTable(energy, energyRows, tick),
    ...(processes === 0 ? [] : [createScanTable(scan, tick)]),
    createRow(busy, boundary(tick), Float64Array.of(0.15 * tick)),
  ]).flat();
}

/** The instant at which a tick's scan ends. */
function boundary(tick: number): bigint {
  return epoch + BigInt((tick + 1) * tickNs);
}

/** Every domain uses 40 W. */
function createEnergyTable(series: readonly Series[], rows: number, tick: number): Table {
  const rowNs = tickNs / rows;
  return {
    series,
    epoch: epoch + BigInt(tick * tickNs),
    offsets: Float64Array.from({ length: rows }, (_, row) => (row + 1) * rowNs),
    values: Float64Array.from(
      { length: rows * series.length },
      (_, cell) => (tick * rows + Math.floor(cell / series.length)) * rowNs * 40e-9,
    ),
  };
}

/** Every second process uses a hundredth of a CPU. */
function createScanTable(series: readonly Series[], tick: number): Table {
  const values = series.map(({ metric, resource }, column) =>
    metric === processCpuTime
      ? (Number(resource.attributes['process.pid']) % 2) * tick * 1e-3
      : column + tick,
  );
  return createRow(series, boundary(tick) - 1000n, Float64Array.from(values));
}

function createEnergy(id: string): Series {
  const type = id.startsWith('dram') ? 'memory' : 'cpu';
  return createSeries(hwEnergy, host, { 'hw.type': type, 'hw.id': id, 'energy.method': 'measured' });
}

const gauges = Array.from({ length: 10 }, (_, i): Metric => ({
  name: `process.measure.${i}`,
  unit: '1',
  description: 'Something else that a scan of processes reads',
  kind: 'gauge',
  valueType: 'int',
}));

/** Two counters of CPU time and ten other series. */
function createProcess(pid: number): readonly Series[] {
  const resource = {
    attributes: {
      ...host.attributes,
      'process.pid': pid,
      'process.executable.name': 'worker',
      'process.linux.cgroup': `/system.slice/service-${pid % 40}.service`,
    },
  };
  const modes = ['user', 'system'].map((mode) =>
    createSeries(processCpuTime, resource, { 'cpu.mode': mode }),
  );
  return modes.concat(gauges.map((metric) => createSeries(metric, resource)));
}

function createSeries(metric: Metric, resource: Resource, attributes: Series['attributes'] = {}): Series {
  return { metric, resource, attributes, start: epoch };
}
