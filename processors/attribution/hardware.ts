import { Balance, EnergyTotal } from '../../src/energy/energy-total.js';
import {
  ATTR_ENERGY_ATTRIBUTION_MODEL,
  ATTR_HW_ID,
  ATTR_HW_TYPE,
} from '../../src/model/semantic-conventions.js';
import type { Attributes, Series } from '../../src/model/series.js';
import { isMeasuredHost } from '../../src/model/shared-metrics.js';
import { Account, Publication } from '../../src/usage/publication.js';
import type { Usage } from '../../src/usage/usage.js';
import type { Group, View } from '../../src/usage/view.js';
import { byTime, weightNames, weights, type Weight } from '../../src/usage/weighing.js';
import type { Window } from '../../src/usage/windows.js';
import type { Workload } from '../../src/usage/workload.js';
import type { Domain } from './domain.js';

/** The energy of the groups of one view. */
interface ViewBook {
  readonly view: View;
  readonly live: Set<Account>;
  /** The total of the accounts that have ended. */
  readonly past: EnergyTotal;
}

/** How the energy of hardware is shared. */
export type Model = 'cpu_time' | 'gpu_time' | 'domain_energy';

export interface HardwareOptions {
  readonly model: Model;
  /** The index among all kinds of hardware: the position of its accounts within those of a group. */
  readonly index: number;
  readonly views: readonly View[];
  /** Unix time in nanoseconds of time 0. */
  readonly epoch: bigint;
}

/**
 * All domains of one kind of hardware with one kind of meter, and the energy charged to each workload: one
 * counter per group of each view.
 */
export class Hardware {
  readonly publication: Publication;
  readonly model: Model;
  readonly attributes: Attributes;
  readonly #index: number;
  readonly #epoch: bigint;
  readonly #domains = new Map<string, Domain>();
  /** What workloads were charged by domains that no longer exist. */
  readonly #past = new EnergyTotal();
  readonly #books: readonly ViewBook[];
  #isLate = false;
  /** Groups whose accounts end once their last energy is written to a row. */
  #closing: { readonly book: ViewBook; readonly group: Group }[] = [];

  /** @param attributes of the published energy of workloads, besides the model */
  constructor(attributes: Attributes, { model, index, views, epoch }: HardwareOptions) {
    this.model = model;
    this.attributes = { ...attributes, [ATTR_ENERGY_ATTRIBUTION_MODEL]: model };
    this.#index = index;
    this.#epoch = epoch;
    this.publication = new Publication(epoch);
    this.#books = views.map((view) => ({ view, live: new Set(), past: new EnergyTotal() }));
  }

  /** Whether the last window was settled too late for the row of its boundary. */
  get isLate(): boolean {
    return this.#isLate;
  }

  get domains(): Iterable<Domain> {
    return this.#domains.values();
  }

  /** The difference between its accounts: 0, unless the ledger is wrong. */
  get residualNj(): number {
    let largest = 0;
    const compare = (residualNj: number) => {
      if (Math.abs(residualNj) > Math.abs(largest)) largest = residualNj;
    };
    for (const domain of this.#domains.values()) compare(domain.residualNj);
    for (const book of this.#books) compare(this.#balance(book));
    return largest;
  }

  /** @param create called for a domain that is not known yet */
  domainOf(key: string, create: () => Domain): Domain {
    const known = this.#domains.get(key);
    if (known) return known;
    const domain = create();
    const hosts = [...this.#domains].filter(([, { series }]) => isMeasuredHost(series));
    // The remainder around a platform is known only after the platform's.
    for (const [hostKey] of hosts) this.#domains.delete(hostKey);
    for (const [added, one] of [[key, domain] as const, ...hosts]) this.#domains.set(added, one);
    return domain;
  }

  /**
   * Receives the usage up to a boundary.
   * @param usageOf the usage of a domain; undefined: the domain has other boundaries
   */
  push(to: number, usageOf: (domain: Domain) => Usage | undefined): void {
    for (const [key, domain] of this.#domains) {
      const usage = usageOf(domain);
      if (usage === undefined) continue;
      domain.meter.push(usage);
      if (!domain.meter.isGone(to)) continue;
      this.#writeLate();
      domain.close();
      this.#domains.delete(key);
      this.#past.addTotal(domain.attributed);
    }
  }

  /** Whether a counter begins before the previous one of its domain ended: the clock was set back. */
  get isSetBack(): boolean {
    for (const { meter } of this.#domains.values()) if (meter.isSetBack) return true;
    return false;
  }

  /** Settles every window that is ready, boundary by boundary, and writes a row for each boundary. */
  settle(): void {
    const ready = new Map<Domain, Window>();
    let rowAt = -Infinity;
    for (let at = this.#takeReady(ready); at !== Infinity;) {
      rowAt = Math.max(rowAt, at);
      this.#settleAt(at, ready);
      // The remainder of a host is known once that of its platform is settled, and belongs to the same row.
      at = this.#takeReady(ready);
      if (at <= rowAt) continue;
      // A domain whose energy arrives later than that of the others is included in their next row.
      this.#isLate = rowAt <= this.publication.lastAt;
      if (!this.#isLate) this.#writeRow(rowAt);
    }
  }

  #settleAt(at: number, ready: Map<Domain, Window>): void {
    for (const domain of this.#domains.values()) {
      const window = ready.get(domain);
      if (window?.to !== at) continue;
      ready.delete(domain);
      domain.settle(window);
    }
  }

  /** The `energy.attribution.model` of energy that was shared by a weight. */
  modelOf(weight: Weight): string {
    return weight === byTime ? this.model : weightNames[weight];
  }

  /** No energy and no usage will follow. */
  finish(): void {
    for (const domain of this.#domains.values()) domain.meter.finish();
    this.settle();
    this.#writeLate();
  }

  /** Charges energy to a workload's group in every view, by the weight with which the window was shared. */
  charge(workload: Workload, energyNj: number, from: number, weight: Weight): void {
    const place = this.#placeOf(weight);
    for (let i = 0; i < this.#books.length; i++) {
      const book = this.#books[i];
      const group = book.view.route(workload.groups[i], energyNj);
      const account = group.accounts?.[place] ?? this.#open(book, group, from, weight);
      account.total.add(energyNj);
    }
  }

  /** Ends the published series of a group that has ended or is no longer shown separately. */
  closeGroup(view: View, group: Group): void {
    const book = this.#books.find((one) => one.view === view);
    if (book === undefined || !weights.some((weight) => group.accounts?.[this.#placeOf(weight)])) return;
    if (this.#isLate) this.#closing.push({ book, group });
    else this.#close(book, group);
  }

  /** Whether everything up to this boundary is settled and written to a row. */
  isDoneWith(boundary: number): boolean {
    return !this.#isLate && [...this.#domains.values()].every(({ meter }) => meter.isDoneWith(boundary));
  }

  /** What the domains charged to workloads, minus the energy of the groups of a view. */
  #balance({ live, past }: ViewBook): number {
    const balance = new Balance();
    balance.plus(this.#past);
    for (const { attributed } of this.#domains.values()) balance.plus(attributed);
    balance.minus(past);
    for (const { total } of live) balance.minus(total);
    return balance.energyNj;
  }

  /** Writes late energy if there is no next row to include it in. */
  #writeLate(): void {
    if (!this.#isLate) return;
    this.#isLate = false;
    this.#writeRow(this.publication.lastAt + 1);
  }

  #writeRow(at: number): void {
    this.publication.writeRow(at);
    if (this.#closing.length === 0) return;
    for (const { book, group } of this.#closing) if (!group.isShown) this.#close(book, group);
    this.#closing = [];
  }

  #close({ live, past }: ViewBook, group: Group): void {
    for (const weight of weights) {
      const place = this.#placeOf(weight);
      const account = group.accounts?.[place];
      if (group.accounts === undefined || account === undefined) continue;
      group.accounts[place] = undefined;
      (group.closedAt ??= [])[place] = this.publication.lastAt;
      live.delete(account);
      past.addTotal(account.total);
      this.publication.end(account);
    }
  }

  /** The position of its accounts within those of a group. */
  #placeOf(weight: Weight): number {
    return weights.length * this.#index + weight;
  }

  /**
   * Takes the next window of each domain that has none in the map.
   * @returns the first boundary at which one of them ends; Infinity: there is none
   */
  #takeReady(ready: Map<Domain, Window>): number {
    let first = Infinity;
    for (const domain of this.#domains.values()) {
      const window = ready.get(domain) ?? domain.meter.takeReady();
      if (window === undefined) continue;
      ready.set(domain, window);
      if (window.to < first) first = window.to;
    }
    return first;
  }

  #open({ view, live }: ViewBook, group: Group, from: number, weight: Weight): Account {
    const place = this.#placeOf(weight);
    const account = this.publication.open(
      new Account({
        metric: view.metric,
        resource: view.resourceOf(group),
        attributes: { ...this.attributes, [ATTR_ENERGY_ATTRIBUTION_MODEL]: this.modelOf(weight) },
        // A workload that started within the window used nothing before.
        start: this.#epoch + BigInt(Math.max(from, group.bornAt, group.closedAt?.[place] ?? from)),
      }),
    );
    (group.accounts ??= [])[place] = account;
    live.add(account);
    return account;
  }
}

/** For the log: the measured energy differs from the sum of the accounts. */
export function describeResidual({ attributes, residualNj }: Hardware): string {
  return `Cannot balance the ledger of ${String(attributes[ATTR_HW_TYPE])}: expected 0 nJ, found a difference of ${residualNj} nJ`;
}

/** For the log: there is no part `idle`. */
export function describeUnknownFloor({ series, floor }: Domain): string {
  const name = nameOf(series);
  const remedy = floor.isLearnable ? 'set "floor", or wait until it is learned in quiet' : 'set "floor"';
  return `Cannot tell idle from other energy of ${name}: expected a known floor, found none; ${remedy}`;
}

/** For the log: the events of a configured weight were not counted. */
export function describeFallback({ series, weights: { wanted } }: Domain): string {
  const name = nameOf(series);
  return `Sharing energy of ${name} by CPU time where ${needs[wanted.model]}; "weights" wants ${wanted.model}`;
}

/** What is missing, and which receiver counts it. */
const needs: Readonly<Record<string, string>> = {
  frequency_cpu_time:
    'cycles were not counted: receiver "perf" has to count them for the machine, and for processes or cgroups',
  dram:
    'memory traffic was not counted: receiver "resctrl" has to count groups, or "perf" cache misses of the machine, and of ' +
    'processes or cgroups',
};

/** For the log: the meter of a platform does not contain the domains that it should. */
export function describeRefutation({ series, refutation }: Domain): string {
  const { meterWatts = NaN, domainWatts = NaN, slope } = refutation ?? {};
  const growth = slope === undefined ? '' : `, and ${slope.toFixed(2)} W more for each watt more of them`;
  return (
    `Leaving out what "${series.attributes[ATTR_HW_ID]}" uses beyond its domains: it shows ` +
    `${meterWatts.toFixed(1)} W while they use ${domainWatts.toFixed(1)} W${growth}, ` +
    'so it does not contain them, or counts in another unit'
  );
}

function nameOf({ attributes }: Series): string {
  return `${attributes[ATTR_HW_TYPE]} "${attributes[ATTR_HW_ID]}"`;
}
