import type { Log } from '../../src/component/log.js';
import { createPlans } from '../../src/model/plan.js';
import { ATTR_HW_ID } from '../../src/model/semantic-conventions.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { cgroupCpuTime, gpuTime, processCpuTime, processGpuTime } from '../../src/model/usage-metrics.js';
import { eventMetrics } from '../../src/usage/events.js';
import { GpuTimeCounters, type GpuTimeCounter } from '../../src/usage/gpu-usage.js';
import { InterruptTime } from '../../src/usage/interrupt-time.js';
import { trafficMetrics } from '../../src/usage/memory-traffic.js';
import { withInterrupts } from '../../src/usage/usage.js';
import { Workloads } from '../../src/usage/workloads.js';
import { listCycleFactors, listCycles, listEvents, listMisses } from './config.js';
import { Domains, type LedgerOptions } from './domains.js';
import {
  describeFallback,
  describeRefutation,
  describeResidual,
  describeUnknownFloor,
  type Hardware,
} from './hardware.js';
import { createPlan, isInstance, isMetered, packageNames, type Plan } from './ledger-plan.js';

/** The accounts are totals: an error in any window is visible in every later comparison. */
const checkEveryNs = 5e8;

/** The last reading of the machine's busy time. */
interface Busy {
  readonly series: Series;
  readonly busyNs: number;
}

/**
 * The energy ledger of this machine: consumes tables of energy and of usage, and returns tables of attributed
 * energy. Internally, times are nanoseconds after the first table's epoch.
 */
export class Ledger {
  readonly domains: Domains;
  readonly workloads: Workloads;
  /** Time from the last boundary to the last row of its scan: usage at the boundary is interpolated over up to this. */
  skewNs = 0;
  readonly #options: LedgerOptions;
  readonly #log: Log;
  readonly #planOf = createPlans((series: readonly Series[]) => ({ plan: createPlan(series, this) }));
  readonly #gpuCounters: GpuTimeCounters;
  /** Instant of the current row. */
  readonly #instant = new Float64Array(1);
  #busy: Busy | undefined;
  readonly #interrupts = new InterruptTime();
  #boundary = -Infinity;
  /** How many boundaries its counter has had before the last one. */
  #boundaries = 0;
  /** Instant of the last row with CPU time of workloads. */
  #usageAt = -Infinity;
  #hasGpuUsage = false;
  #isSetBack = false;
  #checkedAt = -Infinity;
  readonly #logged = new WeakSet<object>();

  constructor(options: LedgerOptions, log: Log) {
    const { config, views, epoch, cpuCount, tick } = options;
    this.#options = options;
    this.#log = log;
    this.domains = new Domains(options);
    this.workloads = new Workloads(views, {
      epoch,
      hasIdle: config.idle === 'equal',
      events: listEvents(config),
      cycles: listCycles(config),
      cycleFactors: listCycleFactors(config),
      misses: listMisses(config),
      cpuCount,
      tick,
    });
    this.#gpuCounters = new GpuTimeCounters(this.workloads);
  }

  /**
   * Whether the counter of busy time, or of the time of a GPU without one, ended and its successor, or that of a meter,
   * starts before the last boundary: the wall clock was set back, and later tables do not fit into this ledger.
   */
  get isSetBack(): boolean {
    return this.#isSetBack;
  }

  /** Registers the processes of a table before it is consumed. */
  prepare({ series }: Table): void {
    this.#planOf(series);
  }

  /** @returns tables of what could be settled with it; none where the clock was set back */
  consume(table: Table): readonly Table[] {
    const { plan } = this.#planOf(table.series);
    this.domains.pushEarly();
    if (plan?.isEnergyOnly) this.#readEnergy(table, plan);
    else if (plan) for (let row = 0; row < table.offsets.length; row++) this.#readRow(table, row, plan);
    this.#findStep();
    if (this.#isSetBack) return [];
    if (table.ended) this.#end(table.ended, this.#timeOf(table, table.offsets.length - 1));
    return plan?.isUsageOnly === false || table.ended ? this.#settle() : [];
  }

  /** Settles what can be settled. No table will follow. */
  finish(): readonly Table[] {
    this.domains.finish();
    for (const hardware of this.domains.kinds) if (this.#hasUsage(hardware)) hardware.finish();
    this.#check();
    const settled = this.#settle();
    this.domains.noteBooked();
    return settled;
  }

  /** Without any usage, the energy is not split. */
  #hasUsage({ model }: Hardware): boolean {
    return this.#boundary > -Infinity || (model === 'gpu_time' && this.#hasGpuUsage);
  }

  /** Settles what can be settled and ends all published series. No table will follow. */
  close(): readonly Table[] {
    for (const { domains } of this.domains.kinds) for (const { meter } of domains) meter.discardSetBack();
    const settled = this.finish();
    return [...settled, ...[...this.domains.kinds].flatMap(({ publication }) => publication.close())];
  }

  /** Tables of meters have thousands of rows: per row, only the readings are passed on. */
  #readEnergy({ epoch, offsets, values, series }: Table, { counters }: Plan): void {
    const shiftNs = Number(epoch - this.#options.epoch);
    for (let row = 0; row < offsets.length; row++) {
      this.#instant[0] = shiftNs + Math.round(offsets[row]);
      const from = row * series.length;
      for (let i = 0; i < counters.length; i++) {
        counters[i].target.read(this.#instant, values, from + counters[i].index);
      }
    }
  }

  /** The busy time comes last: its reading ends the scan that the rest of the row may belong to. */
  #readRow(table: Table, row: number, plan: Plan): void {
    const { counters, floors, cpuTimes, events, gpuTimes, gpuScans, busy, cpuCount, tick } = plan;
    const { cgroupTimes, cgroups, packageTimes, packages, traffic } = plan;
    const { values } = table;
    const at = this.#timeOf(table, row);
    const from = row * table.series.length;
    this.#instant[0] = at;
    for (const { index, target } of counters) target.read(this.#instant, values, from + index);
    for (const { index, target } of floors) target.takeModel(values[from + index]);
    if (cpuCount) this.#options.cpuCount.read(values[from + cpuCount.index]);
    if (tick) this.#options.tick.read(values[from + tick.index]);
    cpuTimes?.readRow(values, from, at);
    if (cpuTimes && at > this.#usageAt) this.#usageAt = at;
    for (const { index, target } of packageTimes) target.read(values[from + index], at);
    for (const { index, target } of events) target.read(values[from + index], at);
    for (const { index, target } of traffic) target.read(values[from + index], at);
    for (const { index, target } of cgroupTimes) target.read(values[from + index]);
    this.workloads.cgroups.finishRow(cgroups, at);
    for (const { index, target } of gpuTimes) target.read(values[from + index]);
    for (const { index, target } of gpuScans) this.#readGpuScan(target, values[from + index], at);
    for (const { index, target } of packages) target.of.read(target.series, values[from + index]);
    if (plan.interrupts) this.#interrupts.read(plan.interrupts.target, values[from + plan.interrupts.index]);
    if (busy) this.#readBusy(busy.target, values[from + busy.index], at);
  }

  /** The receiver of a process's GPU time. */
  gpuCounterOf(series: Series): GpuTimeCounter {
    return this.#gpuCounters.counterOf(series, this.domains.gpuOf(series));
  }

  #readGpuScan(scan: Series, seconds: number, at: number): void {
    const gpu = this.domains.gpuOf(scan);
    if (isInstance(scan)) return gpu.readInstance(String(scan.attributes[ATTR_HW_ID]), seconds);
    // With CPUs, the busy time shows it: samples of a GPU are older than their tables.
    this.#isSetBack ||= this.#boundary === -Infinity && gpu.isSetBackAt(at);
    if (this.#isSetBack) return;
    const usage = gpu.cut(at, seconds);
    if (usage === undefined) return;
    this.#gpuCounters.release();
    this.#hasGpuUsage = true;
    if (this.#busy === undefined) this.#meetMachine(scan);
    this.workloads.rank(usage);
    this.#closeHidden();
    this.domains.pushGpu(scan, usage);
  }

  #endGpuScan(scan: Series): void {
    const gpu = this.domains.gpuOf(scan);
    if (isInstance(scan)) gpu.endInstance(String(scan.attributes[ATTR_HW_ID]));
    else gpu.endScans();
    this.#gpuCounters.release();
  }

  #readBusy(series: Series, seconds: number, at: number): void {
    const readNs = Math.round(seconds * 1e9);
    if (!Number.isFinite(readNs)) return;
    if (at <= this.#boundary) {
      this.#isSetBack ||= this.#busy === undefined;
      return;
    }
    const isSame = this.#busy?.series === series;
    this.#boundaries = isSame ? this.#boundaries + 1 : 0;
    this.#findStep();
    if (this.#isSetBack) return;
    if (!isSame) this.#meetMachine(series);
    const lastNs = isSame && this.#busy ? this.#busy.busyNs : NaN;
    const busyNs = readNs < lastNs ? lastNs : readNs;
    this.#busy = { series, busyNs };
    this.#boundary = at;
    this.skewNs = Math.max(0, this.#usageAt - at);
    const usage = withInterrupts(this.workloads.cut(at, busyNs - lastNs), this.#interrupts.take());
    this.#closeHidden();
    this.domains.push(usage);
  }

  /**
   * Where the clock was set back by less than the time between two scans, only the meters show it: before windows of theirs
   * are settled, for which GPUs do not wait for the CPUs. If the CPUs' usage has not restarted, only the meter has.
   */
  #findStep(): void {
    this.#isSetBack ||= (this.#busy === undefined || this.#boundaries < 3) && this.domains.isSetBack;
  }

  /** The resource of groups has the attributes that their workloads share with the machine. */
  #meetMachine({ resource }: Series): void {
    for (const view of this.#options.views) view.machine = resource.attributes;
  }

  #end(ended: readonly Series[], at: number): void {
    for (const series of ended) {
      if (series.metric.name === processCpuTime.name) this.workloads.end(series, at);
      if (packageNames.has(series.metric.name)) this.workloads.packages.end(series);
      if (eventMetrics.has(series.metric.name)) this.workloads.endEvents(series);
      if (trafficMetrics.has(series.metric.name)) this.workloads.traffic.end(series);
      if (series.metric.name === cgroupCpuTime.name) this.workloads.cgroups.end(series);
      if (isMetered(series)) this.domains.end(series);
      if (series.metric.name === processGpuTime.name) this.#gpuCounters.end(series, at);
      if (series.metric.name === gpuTime.name) this.#endGpuScan(series);
      if (series === this.#busy?.series) this.#busy = undefined;
    }
  }

  #settle(): readonly Table[] {
    for (const hardware of this.domains.kinds) hardware.settle();
    if (this.#boundary - this.#checkedAt >= checkEveryNs) this.#check();
    this.#retire();
    return [...this.domains.kinds].flatMap(({ publication }) => publication.take());
  }

  /** Ends the published series of groups that are no longer shown separately: their later energy goes to `other`. */
  #closeHidden(): void {
    for (const view of this.#options.views) {
      for (const group of view.takeHidden()) {
        for (const hardware of this.domains.kinds) hardware.closeGroup(view, group);
      }
    }
  }

  /** Ends the published series of workloads that have ended, once all their usage is settled. */
  #retire(): void {
    const { views, forget } = this.#options;
    const settled = this.workloads.takeSettled((at) => this.domains.isDoneWith(at));
    for (const [i, view] of views.entries()) {
      for (const workload of settled) view.leave(workload.groups[i], this.#boundary);
      // A group may have energy that is in no row yet.
      if (this.domains.isLate) continue;
      const expired = view.takeExpired(this.#boundary);
      for (const group of expired) {
        for (const hardware of this.domains.kinds) hardware.closeGroup(view, group);
      }
      if (expired.length > 0) forget?.({ ended: expired });
    }
    if (settled.length > 0) forget?.({ ended: settled });
  }

  #check(): void {
    this.#checkedAt = this.#boundary;
    for (const hardware of this.domains.kinds) {
      if (hardware.residualNj !== 0) this.#logOnce(hardware, 'error', describeResidual);
      for (const domain of hardware.domains) {
        if (domain.weights.isMissing) this.#logOnce(domain.weights, 'warn', () => describeFallback(domain));
        if (domain.lacksFloor) this.#logOnce(domain, 'info', describeUnknownFloor);
        if (domain.refutation) this.#logOnce(domain.meter, 'warn', () => describeRefutation(domain));
      }
    }
  }

  #logOnce<Subject extends object>(
    about: Subject,
    level: 'error' | 'warn' | 'info',
    describe: (about: Subject) => string,
  ): void {
    if (this.#logged.has(about)) return;
    this.#logged.add(about);
    this.#log[level](describe(about));
  }

  #timeOf({ epoch, offsets }: Table, row: number): number {
    return Number(epoch - this.#options.epoch) + (row < 0 ? 0 : Math.round(offsets[row]));
  }
}
