import type { ConsumingComponent } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { deriveEnergyName } from '../../src/model/energy-names.js';
import { createPlans, findOrAdd } from '../../src/model/plan.js';
import {
  ATTR_ENERGY_ATTRIBUTION_MODEL,
  ATTR_ENERGY_METHOD,
  ATTR_HW_TYPE,
} from '../../src/model/semantic-conventions.js';
import type { Metric, Series } from '../../src/model/series.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import type { Config } from './config.js';
import { CommonWindows, ExactSource, type LastPower } from './exact-source.js';
import { MeteredSource } from './metered-source.js';
import { PowerColumns, type PowerSource } from './power-columns.js';

/** An attribute of metrics that `attribution` publishes. */
const modelName = ATTR_ENERGY_ATTRIBUTION_MODEL;

/** The metric that is derived from an energy counter. */
export function createPowerMetric(energyName: string): Metric {
  return {
    name: deriveEnergyName(energyName, 'power'),
    unit: 'W',
    description: `Mean power over a window, from ${energyName}`,
    kind: 'gauge',
    valueType: 'double',
  };
}

/** Forwards every table and adds tables of power, with one row per window. */
export class Power implements ConsumingComponent {
  readonly #metrics: ReadonlyMap<string, Metric>;
  readonly #windowNs: number;
  readonly #next: Consumer;
  readonly #sources = new Map<Series, PowerSource>();
  /** By attribution model, otherwise by metric, and by kind of hardware. */
  readonly #windows = new Map<string, CommonWindows>();
  readonly #columnsOf = createPlans((series: readonly Series[]) => this.#createColumns(series));
  /** Unix time in nanoseconds of time 0: the last multiple of the window before the first table. */
  #epoch: bigint | undefined;

  constructor({ window, metrics }: Config, next: Consumer) {
    this.#metrics = new Map(metrics.map((name) => [name, createPowerMetric(name)]));
    this.#windowNs = Math.round(window * 1e6);
    this.#next = next;
  }

  start(): void {}

  consume(table: Table): boolean {
    const isAccepted = this.#next.consume(table);
    this.#epoch ??= table.epoch - (table.epoch % BigInt(this.#windowNs));
    const shiftNs = Number(table.epoch - this.#epoch);
    const frame = { table, shiftNs, windowNs: this.#windowNs };
    // A rejected power is lost for its window; the underlying energy is not.
    for (const derived of this.#columnsOf(table.series).derive(frame)) this.#next.consume(derived);
    if (table.ended) this.#end(table.ended, table.epoch);
    for (const windows of this.#windows.values()) this.#forwardLast(windows.takeLast());
    return isAccepted;
  }

  shutdown(): void {}

  #createColumns(series: readonly Series[]): PowerColumns {
    return new PowerColumns(
      series.flatMap((one, index) => {
        const source = this.#findSource(one);
        return source ? [{ index, source }] : [];
      }),
    );
  }

  #findSource(energy: Series): PowerSource | undefined {
    const metric = this.#metrics.get(energy.metric.name);
    if (metric === undefined) return undefined;
    const known = this.#sources.get(energy);
    if (known) return known;
    const startedAt = Number(energy.start - (this.#epoch ?? energy.start));
    // What it counted before the first table belongs to no window.
    const knownStart = startedAt < -this.#windowNs ? NaN : startedAt;
    const source = this.#createSource({ ...energy, metric }, knownStart);
    this.#sources.set(energy, source);
    return source;
  }

  #createSource(gauge: Series, startedAt: number): PowerSource {
    return isExact(gauge)
      ? new ExactSource(gauge, startedAt, this.#windowNs, this.#windowsOf(gauge))
      : new MeteredSource(gauge, startedAt, this.#windowNs);
  }

  #windowsOf(gauge: Series): CommonWindows {
    const { [ATTR_HW_TYPE]: type, [ATTR_ENERGY_METHOD]: method, [modelName]: model } = gauge.attributes;
    // The energy attributed to processes, programs and cgroups is in rows of the same instants.
    const key = [model ?? gauge.metric.name, type, method].join('\n');
    return findOrAdd(this.#windows, key, () => new CommonWindows());
  }

  /** A counter that ended within a window has its power at the end of the window, like the others. */
  #forwardLast(last: readonly LastPower[]): void {
    if (last.length === 0) return;
    for (const instant of new Set(last.map(({ at }) => at))) {
      const own = last.filter(({ at }) => at === instant);
      const series = own.map((one) => one.series);
      const at = (this.#epoch ?? 0n) + BigInt(instant);
      this.#next.consume(
        createRow(
          series,
          at,
          Float64Array.from(own, ({ watts }) => watts),
        ),
      );
      this.#next.consume(createEnding(series, at));
    }
  }

  #end(ended: readonly Series[], at: bigint): void {
    const gauges = ended.flatMap((series) => this.#endOne(series) ?? []);
    if (gauges.length > 0) this.#next.consume(createEnding(gauges, at));
  }

  /** @returns the gauge that ends with it; undefined: none, or not before the end of the window */
  #endOne(energy: Series): Series | undefined {
    const source = this.#sources.get(energy);
    this.#sources.delete(energy);
    if (!(source instanceof ExactSource) || !(source.restJ > 0)) return source?.series;
    this.#windowsOf(source.series).leave(source);
    return undefined;
  }
}

/** Whether the counter is computed at each reading: the energy of an estimate, or of a workload. */
function isExact({ attributes }: Series): boolean {
  return attributes[ATTR_ENERGY_METHOD] === 'estimated' || modelName in attributes;
}
