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
import { findOrAdd } from '../../src/model/plan.js';
import {
  ATTR_ENERGY_ATTRIBUTION_MODEL,
  ATTR_ENERGY_METHOD,
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

/** What the accounts of a domain work with. */
export interface DomainOptions {
  readonly split: Split;
  readonly floor: Floor;
  readonly uncertainty: Uncertainty;
  readonly meter: DomainMeter;
  readonly publication: Publication;
  /** Unix time in nanoseconds of time 0. */
  readonly epoch: bigint;
  readonly weights: DomainWeights;
  /** Books energy on a workload. `from` is where the window begins in which it was used. */
  charge(workload: Workload, energyNj: number, from: number, weight: Weight): void;
  /** Puts a window into the audit file, before which its floor and its carry are known. */
  readonly audit?: (settled: Omit<SettledWindow, 'domain'>) => void;
  /** Notified of each window, its parts, and what each workload of its usage got. */
  settled?(window: Window, parts: Parts, shares: readonly number[]): void;
}

/** The accounts of one hardware domain: what was measured, and where it went. */
export class Domain {
  /** The domain's `hw.energy`, the first that was seen of it. */
  readonly series: Series;
  readonly meter: DomainMeter;
  readonly floor: Floor;
  /** The package whose CPUs use it; undefined: those of all. */
  readonly package: number | undefined;
  /** The part of the last window's energy that stayed unattributed. */
  unattributedRatio = 0;
  /** The part of the last window's energy that may be attributed wrongly. */
  error = 0;
  /** How much of the last window one refresh of the meter takes. */
  refreshRatio = 0;
  /** How much of the last window one tick of the usage takes. */
  tickRatio = 0;
  /** For how long, since the first window, the energy was not known. */
  unmeasuredNs = 0;
  readonly #options: DomainOptions;
  readonly #measured = new EnergyTotal();
  /** By the part that each is of: attributed, idle, and unattributed by reason. */
  readonly #accounts = new Map<string, Account>();
  readonly #instances: InstanceAccounts;
  #gauge: Gauge | undefined;
  /** Of the error, and of what else says how good the last window is. */
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

  /** What workloads got of it. */
  get attributed(): EnergyTotal {
    return this.#accounts.get('attributed')?.total ?? new EnergyTotal();
  }

  /** What was measured without what is named as attributed, idle or unattributed: 0, or the ledger is wrong. */
  get residualNj(): number {
    const balance = new Balance();
    balance.plus(this.#measured);
    for (const { total } of this.#accounts.values()) balance.minus(total);
    return balance.energyNj;
  }

  /** By what it is shared. */
  get weights(): DomainWeights {
    return this.#options.weights;
  }

  /** What it was used for, of a usage of the machine. */
  usageOf(usage: Usage): Usage {
    const { weights } = this.#options;
    return usageOn(usage, this.package, (weighings, own) => weights.choose(weighings, own, this.package));
  }

  /** What shows that the meter, of a platform, does not contain the domains that it should. */
  get refutation(): Refutation | undefined {
    return this.meter instanceof RemainderMeter ? this.meter.refutation : undefined;
  }

  /** Whether windows were settled and it is not known how much of them was idle. */
  get lacksFloor(): boolean {
    return this.floor.current === undefined && !Number.isNaN(this.#settledTo);
  }

  /** Books the energy of a window. Windows follow each other. */
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

  /** Ends what it publishes. */
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
    if (floor === undefined) return;
    if (this.#gauge?.series.attributes['floor.source'] !== floor.source) {
      if (this.#gauge) this.#options.publication.end(this.#gauge);
      const series = this.#createSeries(attributionFloor, from, { 'floor.source': floor.source });
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
    const { publication } = this.#options;
    const create = () => publication.open(new Gauge(this.#createSeries(metric, from, {})));
    findOrAdd(this.#quality, metric, create).value = value;
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
