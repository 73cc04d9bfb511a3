import type { ConsumingComponent, ProcessorContext } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { elementAt } from '../../src/element.js';
import { findOrAdd } from '../../src/model/plan.js';
import { resourceKey, type Resource, type Series } from '../../src/model/series.js';
import { meteredEnergyNames } from '../../src/model/shared-metrics.js';
import { createEnding, readLatest, timeOf, type Table } from '../../src/model/table.js';
import { cpuFrequency, logicalCpus } from '../../src/model/usage-metrics.js';
import type { Config } from './config.js';
import { Estimate, takeReading, type Usage } from './estimate.js';
import { HardwareFinder, usageNames, type Hardware } from './hardware.js';
import { Machine } from './machine.js';

/** Columns of a table that show the utilization of one piece of hardware, and where their readings are kept. */
interface Reading {
  readonly estimate: Estimate;
  readonly columns: readonly { readonly column: number; readonly usage: Usage }[];
}

/** Columns of a table that the CPU model of a machine depends on. */
interface MachineColumns {
  readonly machine: Machine;
  readonly cpus: readonly number[];
  readonly frequencies: readonly number[];
}

interface HardwareColumns {
  /** The same for the same hardware of the same machine, in all tables. */
  readonly key: string;
  readonly hardware: Hardware;
  readonly columns: readonly number[];
}

interface Plan {
  readonly generation: number;
  readonly machines: readonly MachineColumns[];
  readonly readings: readonly Reading[];
  /** The series of the readings, in order. */
  readonly series: readonly Series[];
  /** Estimates whose energy has a new destination. */
  readonly moved: readonly Series[];
}

/**
 * Forwards every table, and adds one with the energy of the hardware whose utilization it shows, at the same
 * instants.
 */
export class Estimation implements ConsumingComponent {
  readonly #config: Config;
  readonly #context: ProcessorContext;
  readonly #next: Consumer;
  readonly #finder: HardwareFinder;
  readonly #machines = new Map<string, Machine>();
  /** By the key of the hardware and the machine. */
  readonly #estimates = new Map<string, Estimate>();
  /** By the series with the utilization, the key of their estimate. */
  readonly #keys = new Map<Series, string>();
  readonly #plans = new WeakMap<readonly Series[], Plan>();
  /** Changes when existing plans may be outdated. */
  #generation = 0;
  #ownersVersion = 0;
  #epoch: bigint | undefined;

  constructor(config: Config, context: ProcessorContext, next: Consumer) {
    this.#config = config;
    this.#context = context;
    this.#next = next;
    this.#finder = new HardwareFinder(config);
  }

  start(): void {}

  consume(table: Table): boolean {
    const isAccepted = this.#next.consume(table);
    // Until then, a meter of the same hardware may still start.
    if (!this.#context.owners.isComplete) return isAccepted;
    // A series that a new one replaces ends before that one begins; one with a last row in this table, after.
    const columns = new Set(table.ended && table.series);
    const { ended = [] } = table;
    this.#end(
      ended.filter((one) => !columns.has(one)),
      table.epoch,
    );
    const plan = this.#planOf(table);
    for (const one of plan.machines) this.#describeMachine(one, table);
    // Refused values are contained in the next table, since counters are cumulative.
    const estimated = this.#estimate(table, plan);
    if (!plan.readings.every(({ estimate }) => estimate.isLate)) this.#next.consume(estimated);
    this.#end(
      ended.filter((one) => columns.has(one)),
      table.epoch,
    );
    return isAccepted;
  }

  shutdown(): void {}

  #planOf(table: Table): Plan {
    const { version } = this.#context.owners;
    if (version !== this.#ownersVersion) this.#generation += 1;
    this.#ownersVersion = version;
    const known = this.#plans.get(table.series);
    if (known?.generation === this.#generation) return known;
    for (const one of table.series) if (this.#addMeter(one)) this.#generation += 1;
    const plan = this.#createPlan(table);
    this.#plans.set(table.series, plan);
    if (plan.moved.length > 0) this.#next.consume(createEnding(plan.moved, table.epoch));
    return plan;
  }

  #addMeter(series: Series): boolean {
    return meteredEnergyNames.has(series.metric.name) && this.#machineOf(series.resource).addMeter(series);
  }

  #createPlan(table: Table): Plan {
    const moved: Series[] = [];
    const readings = this.#groupColumns(table.series).flatMap((group) => {
      const { estimate, before } = this.#findEstimate(group, table);
      if (before) moved.push(...before.series);
      return estimate ? [{ estimate, columns: this.#join(estimate, group, table) }] : [];
    });
    return {
      generation: this.#generation,
      machines: this.#findMachineColumns(table.series),
      readings,
      series: readings.flatMap(({ estimate }) => estimate.series),
      moved,
    };
  }

  /** The columns of each piece of hardware. */
  #groupColumns(series: readonly Series[]): readonly HardwareColumns[] {
    const groups = new Map<string, HardwareColumns & { readonly columns: number[] }>();
    for (const [column, one] of series.entries()) {
      if (!usageNames.has(one.metric.name)) continue;
      const hardware = this.#finder.find(one, this.#machineOf(one.resource));
      if (hardware === undefined) continue;
      const key = `${hardware.key}\n${resourceKey(one.resource)}`;
      findOrAdd(groups, key, () => ({ key, hardware, columns: [] })).columns.push(column);
    }
    return [...groups.values()];
  }

  #findEstimate(
    { key, hardware, columns }: HardwareColumns,
    table: Table,
  ): { estimate?: Estimate; before?: Estimate } {
    const before = this.#estimates.get(key);
    if (before?.isInPlace === true) return { estimate: before };
    this.#estimates.delete(key);
    if (Number.isNaN(hardware.units()) || table.offsets.length === 0) return before ? { before } : {};
    const { resource } = elementAt(table.series, elementAt(columns, 0));
    const estimate = new Estimate(hardware, resource, timeOf(table, 0), before);
    this.#estimates.set(key, estimate);
    return before ? { estimate, before } : { estimate };
  }

  #join(estimate: Estimate, { key, columns }: HardwareColumns, { series }: Table): Reading['columns'] {
    return columns.map((column) => {
      const one = elementAt(series, column);
      this.#keys.set(one, key);
      return { column, usage: estimate.join(one) };
    });
  }

  #findMachineColumns(series: readonly Series[]): readonly MachineColumns[] {
    const found = new Map<Machine, { machine: Machine; cpus: number[]; frequencies: number[] }>();
    for (const [column, { metric, resource }] of series.entries()) {
      const kind =
        metric.name === logicalCpus.name
          ? 'cpus'
          : metric.name === cpuFrequency.name
            ? 'frequencies'
            : undefined;
      if (kind === undefined) continue;
      const machine = this.#machineOf(resource);
      findOrAdd(found, machine, () => ({ machine, cpus: [], frequencies: [] }))[kind].push(column);
    }
    return [...found.values()];
  }

  #describeMachine({ machine, cpus, frequencies }: MachineColumns, table: Table): void {
    const isNew = Number.isNaN(machine.cpus);
    for (const column of cpus) machine.cpus = readLatest(table, column);
    if (isNew && !Number.isNaN(machine.cpus)) this.#generation += 1;
    if (frequencies.length === 0) return;
    let sum = 0;
    let count = 0;
    for (const column of frequencies) {
      const hertz = readLatest(table, column);
      if (Number.isNaN(hertz)) continue;
      sum += hertz;
      count += 1;
    }
    machine.frequency = sum / count;
  }

  #estimate(table: Table, plan: Plan): Table {
    const { epoch, offsets } = table;
    this.#epoch ??= epoch;
    const { readings, series } = plan;
    const shiftNs = Number(epoch - this.#epoch);
    const joules = new Float64Array(offsets.length * series.length);
    let to = 0;
    for (let row = 0; row < offsets.length; row++) {
      for (const { estimate, columns } of readings) {
        let isKnown = true;
        for (const { column, usage } of columns) isKnown = takeReading(usage, table, row, column) && isKnown;
        joules[to++] = estimate.read(isKnown, shiftNs + offsets[row]);
        if (estimate.series.length > 1) joules[to++] = estimate.idleWatts;
      }
    }
    return { series, epoch, offsets, values: joules };
  }

  #end(ended: readonly Series[], at: bigint): void {
    const gone = ended.flatMap((series) => this.#leave(series) ?? []);
    const own = gone.flatMap((estimate) => estimate.series);
    if (own.length > 0) this.#next.consume(createEnding(own, at));
  }

  /** @returns the estimate, if it ends with this series */
  #leave(series: Series): Estimate | undefined {
    const key = this.#keys.get(series);
    if (key === undefined) return undefined;
    this.#keys.delete(series);
    const estimate = this.#estimates.get(key);
    if (estimate?.leave(series) !== true) return undefined;
    this.#estimates.delete(key);
    return estimate;
  }

  #machineOf(resource: Resource): Machine {
    return findOrAdd(this.#machines, resourceKey(resource), () => {
      const isOwn = Object.entries(this.#context.host.attributes).every(
        ([name, value]) => resource.attributes[name] === value,
      );
      const { owners } = this.#context;
      return new Machine(this.#config.cpu, isOwn ? (key) => owners.ownerOf(key) : undefined);
    });
  }
}
