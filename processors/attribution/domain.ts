import { Balance, EnergyTotal } from '../../src/energy/energy-total.js';
import type { Refutation } from '../../src/energy/loss-model.js';
import { findPackage } from '../../src/model/energy-domain.js';
import {
  attributionError,
  attributionFloor,
  attributionRefreshRatio,
  attributionResidual,
  attributionTickRatio,
  attributionUnattributed,
  gpuInstanceEnergy,
  ledgerEnergy,
} from '../../src/model/ledger-metrics.js';
import {
  ATTR_ENERGY_ATTRIBUTION_MODEL,
  ATTR_ENERGY_METHOD,
  ATTR_FLOOR_SOURCE,
  ATTR_HW_ID,
  ATTR_HW_PARENT,
  ATTR_HW_TYPE,
  ATTR_LEDGER_PART,
} from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric, Series } from '../../src/model/series.js';
import { InstanceAccounts } from '../../src/usage/instance-accounts.js';
import { Account, Gauge, type Publication } from '../../src/usage/publication.js';
import { usageOn, type Usage } from '../../src/usage/usage.js';
import { byEvents, type Weight } from '../../src/usage/weighing.js';
import type { Window } from '../../src/usage/windows.js';
import type { Workload } from '../../src/usage/workload.js';
import { copyShares, type SettledWindow, type SheetError } from './audit-sheet.js';
import type { DomainWeights, WeighedWindow } from './domain-weights.js';
import type { Floor } from './floor.js';
import type { DomainMeter } from './meter.js';
import { RemainderMeter } from './remainder.js';
import type { Parts, Split } from './split.js';
import type { Uncertainty } from './uncertainty.js';

/** Dependencies of a domain's accounts. */
export interface DomainOptions {
  readonly split: Split;
  readonly floor: Floor;
  readonly uncertainty: Uncertainty;
  readonly meter: DomainMeter;
  readonly publication: Publication;
  /** Unix time in nanoseconds of time 0. */
  readonly epoch: bigint;
  readonly weights: DomainWeights;
  /** Charges energy to a workload. `from` is the start of the window in which it was used. */
  charge(workload: Workload, energyNj: number, from: number, weight: Weight): void;
  /** Writes a window to the audit file; its floor and carry are those known before the window. */
  readonly audit?: (settled: Omit<SettledWindow, 'domain'>) => void;
  /** Notified of each window, its parts, and the energy of each workload of its usage. */
  settled?(window: Window, parts: Parts, shares: readonly number[]): void;
}

/** The accounts of one hardware domain: the measured energy and how it was attributed. */
export class Domain {
  /** The first `hw.energy` series seen of the domain. */
  readonly series: Series;
  readonly meter: DomainMeter;
  readonly floor: Floor;
  /** The package whose CPUs use it; undefined: all CPUs use it. */
  readonly package: number | undefined;
  /** The fraction of the last window's energy that is unattributed. */
  unattributedRatio = 0;
  /** The fraction of the last window's energy that may be attributed wrongly. */
  error = 0;
  /** Refresh interval of the meter as a fraction of the last window. */
  refreshRatio = 0;
  /** Tick of the usage as a fraction of the last window. */
  tickRatio = 0;
  /** How long the energy was unknown since the first window. */
  unmeasuredNs = 0;
  readonly #options: DomainOptions;
  readonly #measured = new EnergyTotal();
  /** By the part that each is for: attributed, idle, and unattributed by reason. */
  readonly #accounts = new Map<string, Account>();
  readonly #instances: InstanceAccounts;
  #gauge: Gauge | undefined;
  /** Of the error and the other quality figures of the last window. */
  readonly #quality = new Map<Metric, Gauge>();
  #settledTo = NaN;

  constructor(series: Series, options: DomainOptions) {
    this.series = series;
    this.package = findPackage(series.attributes);
    this.meter = options.meter;
    this.floor = options.floor;
    this.#options = options;
    this.#instances = new InstanceAccounts(options.publication, (id, from) => this.#createInstance(id, from));
  }

  /** The energy that workloads were charged. */
  get attributed(): EnergyTotal {
    return this.#accounts.get('attributed')?.total ?? new EnergyTotal();
  }

  /** Measured energy minus all attributed, idle and unattributed energy: 0, unless the ledger is wrong. */
  get residualNj(): number {
    const balance = new Balance();
    balance.plus(this.#measured);
    for (const { total } of this.#accounts.values()) balance.minus(total);
    return balance.energyNj;
  }

  /** How its energy is shared. */
  get weights(): DomainWeights {
    return this.#options.weights;
  }

  /** The part of the machine's usage that used this domain. */
  usageOf(usage: Usage): Usage {
    const { weights } = this.#options;
    return usageOn(usage, this.package, (weighings, own) => weights.choose(weighings, own, this.package));
  }

  /** Evidence that the meter of a platform does not contain the domains that it should. */
  get refutation(): Refutation | undefined {
    return this.meter instanceof RemainderMeter ? this.meter.refutation : undefined;
  }

  /** Whether windows were settled whose idle part is not known. */
  get lacksFloor(): boolean {
    return this.floor.current === undefined && !Number.isNaN(this.#settledTo);
  }

  /** Books the energy of a window. Windows are contiguous. */
  settle(measured: Window): void {
    const { split, floor, weights, audit } = this.#options;
    const weighed = weights.weigh(measured);
    const { window, weight } = weighed;
    const { carryNj } = split;
    const floorWatts = floor.current?.watts;
    const parts = split.apply(window, floorWatts);
    this.#book(window, parts);
    this.#charge(window, split.shares, weight);
    this.#options.settled?.(window, parts, split.shares);
    const instanceNj = this.#instances.settle(window, parts.dynamicNj, parts.wholeNs);
    this.#publishFloor(window.from);
    this.error = this.#findError(weighed, parts);
    this.#describe(window, parts);
    this.#publishQuality(window.from);
    audit?.({
      window,
      parts,
      shares: copyShares(split.shares, window),
      floorWatts,
      carryNj,
      weight,
      costs: weight === byEvents ? weights.counters?.costs : undefined,
      instanceNj,
      uncertainty: this.#explainError(weighed.timeShare),
    });
    // Only now: a window is split by what was known before it.
    floor.observe(measured);
    weights.counters?.observe(measured);
  }

  /** Ends its published series. */
  close(): void {
    for (const account of this.#accounts.values()) this.#options.publication.end(account);
    if (this.#gauge) this.#options.publication.end(this.#gauge);
    for (const gauge of this.#quality.values()) this.#options.publication.end(gauge);
    this.#instances.close();
  }

  #createInstance(id: string, from: number): Account {
    const parent = this.series.attributes[ATTR_HW_ID] ?? '';
    const own = { [ATTR_HW_ID]: id, [ATTR_HW_PARENT]: parent, [ATTR_ENERGY_ATTRIBUTION_MODEL]: 'gpu_time' };
    return new Account(this.#createSeries(gpuInstanceEnergy, from, own));
  }

  #charge({ usage: { workloads }, from }: Window, shares: readonly number[], weight: Weight): void {
    for (let i = 0; i < workloads.length; i++) {
      if (shares[i] > 0) this.#options.charge(workloads[i], shares[i], from, weight);
    }
  }

  #book({ energyNj, from }: Window, parts: Parts): void {
    const { idleNj, attributedNj, unattributedNj, interruptNj, reason } = parts;
    this.#measured.add(energyNj);
    this.#account('attributed', from).total.add(attributedNj);
    if (this.floor.current) this.#account('idle', from).total.add(idleNj);
    const restNj = unattributedNj - interruptNj;
    if (restNj > 0) this.#account('unattributed', from, reason).total.add(restNj);
    if (interruptNj > 0) this.#account('unattributed', from, 'interrupt').total.add(interruptNj);
  }

  #account(part: string, from: number, reason?: string): Account {
    const key = reason ?? part;
    const known = this.#accounts.get(key);
    if (known) return known;
    const series = this.#createSeries(ledgerEnergy, from, {
      [ATTR_LEDGER_PART]: part,
      ...(reason !== undefined && { 'ledger.reason': reason }),
    });
    const account = this.#options.publication.open(new Account(series));
    this.#accounts.set(key, account);
    return account;
  }

  #publishFloor(from: number): void {
    const floor = this.floor.current;
    if (this.#gauge?.series.attributes[ATTR_FLOOR_SOURCE] !== floor?.source) {
      if (this.#gauge) this.#options.publication.end(this.#gauge);
      this.#gauge = undefined;
    }
    if (floor === undefined) return;
    if (this.#gauge === undefined) {
      const series = this.#createSeries(attributionFloor, from, { [ATTR_FLOOR_SOURCE]: floor.source });
      this.#gauge = this.#options.publication.open(new Gauge(series));
    }
    this.#gauge.value = floor.watts;
  }

  #publishQuality(from: number): void {
    this.#show(attributionError, this.error, from);
    this.#show(attributionUnattributed, this.unattributedRatio, from);
    this.#show(attributionRefreshRatio, this.refreshRatio, from);
    this.#show(attributionTickRatio, this.tickRatio, from);
    this.#show(attributionResidual, this.residualNj / 1e9, from);
  }

  #show(metric: Metric, value: number, from: number): void {
    let gauge = this.#quality.get(metric);
    if (gauge === undefined) {
      gauge = this.#options.publication.open(new Gauge(this.#createSeries(metric, from, {})));
      this.#quality.set(metric, gauge);
    }
    gauge.value = value;
  }

  #findError({ window, weight, timeShare }: WeighedWindow, { aboveFloorNj, unattributedNj }: Parts): number {
    const { split, floor, uncertainty } = this.#options;
    const evidence = {
      dynamicNj: aboveFloorNj,
      unattributedNj,
      topShare: split.topShare,
      weight,
      timeShare,
      floor: floor.current,
    };
    return uncertainty.of(window, evidence);
  }

  #explainError(timeShare: number): SheetError {
    const { floor, uncertainty } = this.#options;
    const { error } = this;
    return {
      error,
      timeShare,
      floorErrorWatts: floor.current?.errorWatts,
      leastWatts: uncertainty.leastWatts,
    };
  }

  #describe({ from, to, energyNj, refreshNs, tickNs }: Window, { unattributedNj }: Parts): void {
    this.unattributedRatio = energyNj === 0 ? 0 : unattributedNj / energyNj;
    this.refreshRatio = refreshNs / (to - from);
    this.tickRatio = tickNs / (to - from);
    if (from > this.#settledTo) this.unmeasuredNs += from - this.#settledTo;
    this.#settledTo = to;
  }

  #createSeries(metric: Metric, from: number, attributes: Attributes): Series {
    const {
      [ATTR_HW_TYPE]: type = '',
      [ATTR_HW_ID]: id = '',
      [ATTR_ENERGY_METHOD]: method,
    } = this.series.attributes;
    const own = { [ATTR_HW_TYPE]: type, [ATTR_HW_ID]: id, ...attributes };
    return {
      metric,
      resource: this.series.resource,
      attributes: method === undefined ? own : { ...own, [ATTR_ENERGY_METHOD]: method },
      start: this.#options.epoch + BigInt(from),
    };
  }
}
