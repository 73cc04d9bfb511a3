import { ATTR_CPU_MODE, ATTR_PROCESS_STATE } from '../model/semantic-conventions.js';
import type { Metric, Resource, Series } from '../model/series.js';
import { createEnding, createRow, type Table } from '../model/table.js';
import { busyTime, processCount, processCpuTime } from '../model/usage-metrics.js';
import type { Machine } from './machine.js';
import { describeSimulatedProcess, type SimulatedProcess } from './simulated-process.js';

const cpuUse: Metric = {
  name: 'process.cpu.utilization',
  unit: '1',
  description: 'Share of the time of all CPUs that a process uses now',
  kind: 'gauge',
  valueType: 'double',
};

/**
 * Tables as a receiver of processes passes them on: a row of what each used so far, those that died since the last
 * scan among them, the endings of these, and busy time, which closes the scan.
 */
export class UsageTables {
  readonly #machine: Machine;
  readonly #epoch: bigint;
  readonly #ofMachine: readonly [counts: readonly Series[], busy: readonly Series[]];
  readonly #published = new PublishedProcesses<readonly Series[]>();
  #columns: readonly Series[] = [];

  /** @param epoch Unix time in nanoseconds of simulated time 0 */
  constructor(machine: Machine, resource: Resource, epoch: bigint) {
    this.#machine = machine;
    this.#epoch = epoch;
    const counts = ['running', 'sleeping'].map((state) => {
      return { metric: processCount, resource, attributes: { [ATTR_PROCESS_STATE]: state }, start: epoch };
    });
    this.#ofMachine = [counts, [{ metric: busyTime, resource, attributes: {}, start: epoch }]];
  }

  /** A scan at an instant of simulated time, in whole microseconds, later than the last one. */
  *scan(us: number): Iterable<Table> {
    const machine = this.#machine;
    const at = this.#epoch + BigInt(us) * 1000n;
    const [counts, busy] = this.#ofMachine;
    machine.advance(us);
    const running = machine.liveProcesses.filter(({ percent }) => percent > 0).length;
    yield createRow(counts, at, Float64Array.of(running, machine.liveProcesses.length - running));
    yield this.#readProcesses(at);
    const ended = this.#published.takeGone(machine).flat();
    if (ended.length > 0) yield createEnding(ended, at);
    yield createRow(busy, at, Float64Array.of(Number(machine.busyNs) / 1e9));
  }

  #readProcesses(at: bigint): Table {
    const seen = this.#machine.processes.filter((process) => !this.#published.isFinished(process));
    const columns = seen.flatMap((process) => this.#seriesOf(process));
    const cpus = this.#machine.cpus().length;
    const values = seen.flatMap((process) => this.#readOne(process, cpus));
    const isSame = columns.length === this.#columns.length && columns.every((s, i) => s === this.#columns[i]);
    if (!isSame) this.#columns = columns;
    return createRow(this.#columns, at, Float64Array.from(values));
  }

  #readOne(process: SimulatedProcess, cpus: number): number[] {
    const ns = this.#machine.cpuNsOf(process);
    const systemNs = (ns * BigInt(process.identity.program.systemPercent)) / 100n;
    return [Number(ns - systemNs) / 1e9, Number(systemNs) / 1e9, process.percent / 100 / cpus];
  }

  #seriesOf(process: SimulatedProcess): readonly Series[] {
    const known = this.#published.find(process);
    if (known) return known;
    const { bornUs } = process.identity;
    const start = this.#epoch + BigInt(this.#machine.timeline.simulatedAt(bornUs)) * 1000n;
    const attributes = describeSimulatedProcess(process, start);
    const resource: Resource = { attributes };
    const times = ['user', 'system'].map((mode) => {
      return { metric: processCpuTime, resource, attributes: { [ATTR_CPU_MODE]: mode }, start };
    });
    const series = [...times, { metric: cpuUse, resource, attributes: {}, start }];
    this.#published.add(process, series);
    return series;
  }
}

/** What a receiver keeps of each simulated process until it has published the process a last time. */
export class PublishedProcesses<Published> {
  readonly #published = new Map<SimulatedProcess, Published>();
  readonly #finished = new WeakSet<SimulatedProcess>();

  find(process: SimulatedProcess): Published | undefined {
    return this.#published.get(process);
  }

  add(process: SimulatedProcess, published: Published): void {
    this.#published.set(process, published);
  }

  /** Whether the process was published for the last time. */
  isFinished(process: SimulatedProcess): boolean {
    return this.#finished.has(process);
  }

  /** What was kept of processes that live no more: they are finished now. */
  takeGone({ liveProcesses }: Machine): Published[] {
    const live = new Set(liveProcesses);
    const gone = [...this.#published].filter(([process]) => !live.has(process));
    for (const [process] of gone) {
      this.#published.delete(process);
      this.#finished.add(process);
    }
    return gone.map(([, published]) => published);
  }

  /** All that is kept; nothing is kept then. */
  takeAll(): Published[] {
    const all = [...this.#published.values()];
    this.#published.clear();
    return all;
  }
}
