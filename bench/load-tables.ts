import type { Metric, Resource, Series } from '../src/model/series.js';
import { hwEnergy } from '../src/model/shared-metrics.js';
import { createRow, type Table } from '../src/model/table.js';
import { busyTime, logicalCpus, processCpuTime } from '../src/model/usage-metrics.js';

const ticks = 100;
const tickNs = 1e8;
const host: Resource = { attributes: { 'host.name': 'node-1', 'host.id': 'a1b2c3', 'os.type': 'linux' } };
const epoch = 1_795_000_000_000_000_000n;

/** Tables that the receivers pass on every 100 ms. */
export interface Load {
  readonly what: string;
  /** Rows of a table with the energy of four domains. */
  readonly energyRows: number;
  readonly processes: number;
}

/** The tables of ten seconds, in order. */
export function createTables({ energyRows, processes }: Load): readonly Table[] {
  const energy = ['package-0', 'package-1', 'dram-0', 'dram-1'].map((id) => createEnergy(id));
  const scan = Array.from({ length: processes }, (_, pid) => createProcess(pid)).flat();
  const machine = [createSeries(busyTime, host), createSeries(logicalCpus, host)];
  return Array.from({ length: ticks }, (_, tick) => [
    createEnergyTable(energy, energyRows, tick),
    ...(processes === 0 ? [] : [createScanTable(scan, tick)]),
    createRow(machine, boundary(tick), Float64Array.of(0.15 * tick, 4)),
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

/** Every second process uses 1 % of a CPU. */
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
