import type { ConsumingComponent, Context } from '../../src/component/component.js';
import { passHistograms, type Consumer } from '../../src/component/consumer.js';
import type { Log } from '../../src/component/log.js';
import { elementAt } from '../../src/element.js';
import { findAttribute } from '../../src/model/group.js';
import type { HistogramTable } from '../../src/model/histogram-table.js';
import { findOrAdd } from '../../src/model/plan.js';
import { kindNames, type AnySeries } from '../../src/model/series.js';
import { embodiedCarbon } from '../../src/model/shared-metrics.js';
import { createEnding, type Table } from '../../src/model/table.js';
import { AlignedWindows, type WindowUser } from '../../src/windows/aligned-windows.js';
import { WindowRows } from '../../src/windows/window-rows.js';
import { WindowedSource } from '../../src/windows/windowed-source.js';
import type { Config, WorkloadConfig } from './config.js';
import { findRoles, sharesResources, type Role } from './units.js';
import { Workload, type Membership, type WorkloadOptions } from './workload.js';

/** How a series is used: its roles in workloads, or that it counts for all of them. */
type Use = readonly Membership[] | WindowedSource;

/** Forwards every table, and adds the energy per unit of work of the workloads, with one row per window. */
export class Work implements ConsumingComponent, WindowUser<Use> {
  readonly #next: Consumer;
  readonly #configs: readonly WorkloadConfig[];
  readonly #windowNs: number;
  /** One for each entry of the configuration. */
  readonly #options: readonly WorkloadOptions[];
  readonly #windows: AlignedWindows<Use>;
  readonly #workloads = new Map<string, Workload>();
  /** Embodied emissions of the machines. */
  readonly #embodied = new Set<WindowedSource>();
  readonly #rows = new WindowRows();
  readonly #log: Log;
  readonly #unfit = new Set<string>();

  constructor(config: Config, { log }: Context, next: Consumer) {
    this.#next = next;
    this.#log = log;
    this.#configs = config.workloads;
    this.#windowNs = Math.round(config.window * 1e6);
    this.#options = this.#configs.map((one) => ({
      windowNs: this.#windowNs,
      halfLifeNs: config.half_life * 1e6,
      maxResidual: config.max_residual,
      embodied: this.#embodied,
      isNamed: sharesResources(one, this.#configs),
    }));
    this.#windows = new AlignedWindows({ windowNs: this.#windowNs, lagNs: config.max_lag * 1e6 }, this);
  }

  start(): void {}

  consume(table: Table): boolean {
    const isAccepted = this.#next.consume(table);
    this.#windows.consume(table);
    // A rejected gauge is lost for its window; a counter continues.
    this.#forward();
    return isAccepted;
  }

  consumeHistograms(table: HistogramTable): boolean {
    const isAccepted = passHistograms(this.#next, table);
    this.#windows.consumeHistograms(table);
    this.#forward();
    return isAccepted;
  }

  shutdown(): void {}

  join(series: AnySeries, source: WindowedSource, sums = source): Use | undefined {
    if (series.metric.name === embodiedCarbon.name && this.#configs.some(({ carbon }) => carbon !== null)) {
      this.#embodied.add(source);
      return source;
    }
    const found = this.#configs.map((config) => findRoles(config, series));
    if (!source.isCounter) {
      if (found.flat().length > 0) this.#warnOf(series.metric);
      return undefined;
    }
    const owner = found.findIndex((roles) => roles.some(({ kind }) => kind === 'energy'));
    const memberships = found.flatMap((roles, number) =>
      roles
        // The energy of a series is divided only once, by the first entry that matches it.
        .filter(({ kind }) => kind !== 'energy' || number === owner)
        .flatMap((role) => this.#joinAs(role, number, series, role.isSum ? sums : source)),
    );
    return memberships.length === 0 ? undefined : memberships;
  }

  leave(use: Use): void {
    if (use instanceof WindowedSource) this.#embodied.delete(use);
    else for (const membership of use) membership.workload.leave(membership);
  }

  endWindow(window: number, at: bigint): void {
    const startAt = at - BigInt(this.#windowNs);
    let isChanged = false;
    for (const workload of this.#workloads.values()) {
      workload.settle(window, startAt);
      isChanged ||= workload.isChanged;
    }
    if (isChanged) this.#begin(startAt);
    if (this.#rows.hasNoColumns) return;
    const values = this.#rows.add(at);
    for (const workload of this.#workloads.values()) workload.writeValues(values);
  }

  /** Logs once that a metric cannot be used. */
  #warnOf({ name, kind }: AnySeries['metric']): void {
    if (this.#unfit.has(name)) return;
    this.#unfit.add(name);
    this.#log.warn(
      `Cannot use "${name}": expected a counter or a histogram, found ${kindNames[kind]}; it is left out`,
    );
  }

  #joinAs(role: Role, number: number, series: AnySeries, source: WindowedSource): readonly Membership[] {
    const config = elementAt(this.#configs, number);
    const values = config.match.map((name) => findAttribute(series, name));
    if (values.includes(undefined)) return [];
    const key = JSON.stringify([number, values]);
    const workload = findOrAdd(
      this.#workloads,
      key,
      () => new Workload(config, elementAt(this.#options, number)),
    );
    return [workload.join(role, series, source)];
  }

  #forward(): void {
    const table = this.#rows.take();
    if (table) this.#next.consume(table);
  }

  /** New series start, or some have ended. */
  #begin(at: bigint): void {
    this.#forward();
    const workloads = [...this.#workloads];
    const ended = workloads.flatMap(([, workload]) => workload.takeEnded());
    if (ended.length > 0) this.#next.consume(createEnding(ended, at));
    for (const [key, workload] of workloads) {
      workload.isChanged = false;
      if (workload.isEmpty) this.#workloads.delete(key);
    }
    this.#rows.begin(workloads.flatMap(([, workload]) => workload.listSeries()));
  }
}
