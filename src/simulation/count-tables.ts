import {
  ATTR_CPU_PACKAGE,
  ATTR_LINUX_RESCTRL_GROUP,
  ATTR_PERF_EVENT_NAME,
  ATTR_PROCESS_PID,
} from '../model/semantic-conventions.js';
import type { Metric, Resource, Series } from '../model/series.js';
import { createRow, type Table } from '../model/table.js';
import {
  eventCount,
  localMemoryTraffic,
  memoryTraffic,
  memoryTrafficMember,
} from '../model/usage-metrics.js';
import type { Machine } from './machine.js';
import { describeSimulatedProcess, type SimulatedProcess } from './simulated-process.js';

/** Simulated counts are not whole. */
const simulatedCount: Metric = { ...eventCount, valueType: 'double' };

/** A cache miss transfers one line. */
const lineBytes = 64;

/** Options for counts of a simulated machine. */
export interface CountTablesOptions {
  readonly counts: 'cycles' | 'cache-misses' | 'resctrl';
  /** Which processes are counted individually: by `perf`, or in a resctrl group of their own. */
  isCounted(process: SimulatedProcess): boolean;
}

interface Reading {
  readonly series: Series;
  read(): number;
}

/**
 * Tables as forwarded by receivers that count the activity of processes: cycles or cache misses of the machine
 * and of processes, or memory traffic of groups of processes.
 */
export class CountTables {
  readonly #machine: Machine;
  readonly #resource: Resource;
  readonly #epoch: bigint;
  readonly #options: CountTablesOptions;
  readonly #machineReadings: readonly Reading[];
  readonly #readings = new Map<SimulatedProcess, readonly Reading[]>();

  /** @param epoch Unix time in nanoseconds of simulated time 0 */
  constructor(machine: Machine, resource: Resource, epoch: bigint, options: CountTablesOptions) {
    this.#machine = machine;
    this.#resource = resource;
    this.#epoch = epoch;
    this.#options = options;
    this.#machineReadings = this.#countMachine();
  }

  /** The counts up to an instant of simulated time, in whole microseconds, which must be later than the last one. */
  read(us: number): Table {
    this.#machine.advance(us);
    const counted = this.#machine.processes.filter((process) => this.#options.isCounted(process));
    for (const process of counted) {
      if (!this.#readings.has(process)) this.#readings.set(process, this.#countProcess(process));
    }
    const ended = [...this.#readings].filter(([process]) => !counted.includes(process));
    for (const [process] of ended) this.#readings.delete(process);
    const readings = [...this.#machineReadings, ...[...this.#readings.values()].flat()];
    const row = createRow(
      readings.map(({ series }) => series),
      this.#epoch + BigInt(us) * 1000n,
      Float64Array.from(readings, ({ read }) => read()),
    );
    return { ...row, ended: ended.flatMap(([, own]) => own.map(({ series }) => series)) };
  }

  #countMachine(): readonly Reading[] {
    const sockets = Array.from({ length: this.#machine.spec.sockets }, (_, socket) => socket);
    const { counts } = this.#options;
    // Including the traffic of its monitoring groups.
    if (counts === 'resctrl') {
      return sockets.flatMap((socket) =>
        this.#countGroup('/', socket, () => this.#machine.workOf(socket).bytes),
      );
    }
    const sum = (kind: 'cycles' | 'bytes') =>
      sockets.reduce((all, socket) => all + this.#machine.workOf(socket)[kind], 0);
    const read = counts === 'cycles' ? () => sum('cycles') : () => sum('bytes') / lineBytes;
    return [this.#countEvent(this.#resource, this.#epoch, read)];
  }

  #countProcess(process: SimulatedProcess): readonly Reading[] {
    const { counts } = this.#options;
    const { pid, socket, bornUs } = process.identity;
    const bornNs = this.#epoch + BigInt(this.#machine.timeline.simulatedAt(bornUs)) * 1000n;
    if (counts === 'resctrl') {
      const group = `/mon_groups/${pid}`;
      const attributes = { [ATTR_LINUX_RESCTRL_GROUP]: group, [ATTR_PROCESS_PID]: pid };
      const member = { metric: memoryTrafficMember, resource: this.#resource, attributes, start: bornNs };
      const sockets = Array.from({ length: this.#machine.spec.sockets }, (_, one) => one);
      const bytes = (one: number) => (one === socket ? this.#machine.bytesOf(process) : 0);
      return [
        { series: member, read: () => 1 },
        ...sockets.flatMap((one) => this.#countGroup(group, one, () => bytes(one), bornNs)),
      ];
    }
    const resource = { attributes: describeSimulatedProcess(process, bornNs) };
    const read = () =>
      counts === 'cycles' ? this.#machine.cyclesOf(process) : this.#machine.bytesOf(process) / lineBytes;
    return [this.#countEvent(resource, bornNs, read)];
  }

  #countEvent(resource: Resource, start: bigint, read: () => number): Reading {
    const attributes = { [ATTR_PERF_EVENT_NAME]: this.#options.counts };
    return { series: { metric: simulatedCount, resource, attributes, start }, read };
  }

  /** All memory of a simulated process is on its socket. */
  #countGroup(group: string, socket: number, read: () => number, start = this.#epoch): readonly Reading[] {
    const attributes = { [ATTR_LINUX_RESCTRL_GROUP]: group, [ATTR_CPU_PACKAGE]: socket };
    return [memoryTraffic, localMemoryTraffic].map((metric) => ({
      series: { metric, resource: this.#resource, attributes, start },
      read,
    }));
  }
}
