import type { Log } from '../../src/component/log.js';
import { createPlans } from '../../src/model/plan.js';
import { meteredEnergyNames, processCpuTime } from '../../src/model/shared-metrics.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { Consumers } from './consumers.js';
import { Domains, type LedgerTerms } from './domains.js';
import type { DomainLedger } from './domain-ledger.js';
import { EarlyUsages } from './early-usages.js';
import type { HardwareLedger } from './hardware-ledger.js';
import { createPlan, type Plan } from './plan.js';

/** The accounts are totals: what is wrong in any window shows whenever they are compared. */
const checkEveryNs = 5e8;

/** The last reading of the machine's busy time. */
interface Busy {
  readonly series: Series;
  readonly busyNs: number;
}

/**
 * The joules of this machine: takes tables of energy and of usage, and gives tables of what was attributed. Times
 * inside are nanoseconds after the first table's epoch.
 */
export class Ledger {
  readonly domains: Domains;
  readonly consumers: Consumers;
  readonly #terms: LedgerTerms;
  readonly #log: Log;
  readonly #planOf = createPlans((series: readonly Series[]) => ({ plan: this.#createPlan(series) }));
  readonly #early = new EarlyUsages();
  #busy: Busy | undefined;
  #boundary = -Infinity;
  #isSetBack = false;
  #checkedAt = -Infinity;
  readonly #told = new WeakSet<object>();

  constructor(terms: LedgerTerms, log: Log) {
    const { config, views, epoch, cpuCount } = terms;
    this.#terms = terms;
    this.#log = log;
    this.domains = new Domains(terms);
    this.consumers = new Consumers(views, { epoch, hasIdle: config.idle === 'equal', cpuCount });
  }

  /**
   * Whether the counter of busy time ended and the next one begins before the last boundary: the wall clock was set
   * back, and nothing that follows would fit in here.
   */
  get isSetBack(): boolean {
    return this.#isSetBack;
  }

  /** Gets to know the processes of a table before it is consumed. */
  prepare({ series }: Table): void {
    this.#planOf(series);
  }

  /** @returns what could be settled with it */
  consume(table: Table): readonly Table[] {
    const { plan } = this.#planOf(table.series);
    if (this.domains.isKnown) for (const usage of this.#early.take()) this.domains.push(usage);
    if (plan) this.#readRows(table, plan);
    if (table.ended) this.#end(table.ended, this.#timeOf(table, table.offsets.length - 1));
    return plan || table.ended ? this.#settle() : [];
  }

  /** Settles what can be settled. No table will follow. */
  finish(): readonly Table[] {
    // Without any usage, nothing is told apart.
    if (this.#boundary > -Infinity) for (const ledger of this.domains.ledgers) ledger.finish();
    this.#check();
    return this.#settle();
  }

  /** Settles what can be settled and ends what was published. No table will follow. */
  close(): readonly Table[] {
    const settled = this.finish();
    return [...settled, ...[...this.domains.ledgers].flatMap(({ publication }) => publication.close())];
  }

  #createPlan(series: readonly Series[]): Plan | undefined {
    const { domains, consumers } = this;
    return createPlan(series, {
      meterOf: (one) => domains.meterOf(one),
      floorOf: (one) => domains.floorOf(one),
      sourceOf: (one) => consumers.sourceOf(one),
      cpuCount: this.#terms.cpuCount,
      tick: this.#terms.tick,
    });
  }

  #readRows(table: Table, plan: Plan): void {
    for (let row = 0; row < table.offsets.length; row++) this.#readRow(table, row, plan);
  }

  /** The busy time last: its reading closes the scan that the rest of the row may belong to. */
  #readRow(table: Table, row: number, { meters, floors, sources, consumers, busy, cpus, tick }: Plan): void {
    const { values } = table;
    const at = this.#timeOf(table, row);
    const from = row * table.series.length;
    for (const { index, taker } of meters) taker.read(at, values[from + index]);
    for (const { index, taker } of floors) taker.takeModel(values[from + index]);
    if (cpus) cpus.taker.read(values[from + cpus.index]);
    if (tick) tick.taker.read(values[from + tick.index]);
    for (const { index, taker } of sources) taker.read(values[from + index]);
    for (const consumer of consumers) consumer.finishRow(at);
    if (busy) this.#readBusy(busy.taker, values[from + busy.index], at);
  }

  #readBusy(series: Series, seconds: number, at: number): void {
    if (Number.isNaN(seconds)) return;
    if (at <= this.#boundary) {
      this.#isSetBack ||= this.#busy === undefined;
      return;
    }
    const readNs = Math.round(seconds * 1e9);
    if (this.#busy?.series !== series) {
      for (const view of this.#terms.views) view.machine = series.resource.attributes;
    }
    const lastNs = this.#busy?.series === series ? this.#busy.busyNs : NaN;
    const busyNs = readNs < lastNs ? lastNs : readNs;
    this.#busy = { series, busyNs };
    this.#boundary = at;
    const usage = this.consumers.cut(at, busyNs - lastNs);
    this.#closeHidden();
    if (this.domains.isKnown) this.domains.push(usage);
    else this.#early.push(usage);
  }

  #end(ended: readonly Series[], at: number): void {
    for (const series of ended) {
      if (series.metric.name === processCpuTime.name) this.consumers.end(series, at);
      if (meteredEnergyNames.has(series.metric.name)) this.domains.end(series);
      if (series === this.#busy?.series) this.#busy = undefined;
    }
  }

  #settle(): readonly Table[] {
    for (const ledger of this.domains.ledgers) ledger.settle();
    if (this.#boundary - this.#checkedAt >= checkEveryNs) this.#check();
    this.#retire();
    return [...this.domains.ledgers].flatMap((ledger) => ledger.publication.take());
  }

  /** Ends what is published of groups that have no series of their own any more: what follows goes to `other`. */
  #closeHidden(): void {
    for (const view of this.#terms.views) {
      for (const group of view.takeHidden()) {
        for (const ledger of this.domains.ledgers) ledger.closeGroup(view, group);
      }
    }
  }

  /** Ends what is published of consumers that have gone, once all they used is settled. */
  #retire(): void {
    const ledgers = [...this.domains.ledgers];
    const { views } = this.#terms;
    const settled = this.consumers.takeSettled(
      (at) => this.#early.isDoneWith(at) && ledgers.every((ledger) => ledger.isDoneWith(at)),
    );
    for (const [i, view] of views.entries()) {
      for (const consumer of settled) view.leave(consumer.groups[i], this.#boundary);
      for (const group of view.takeExpired(this.#boundary)) {
        for (const ledger of ledgers) ledger.closeGroup(view, group);
      }
    }
  }

  #check(): void {
    this.#checkedAt = this.#boundary;
    for (const ledger of this.domains.ledgers) {
      const { residualNj } = ledger;
      if (residualNj !== 0)
        this.#tellOnce(ledger, () => this.#log.error(describeResidual(ledger, residualNj)));
      for (const domain of ledger.domains) {
        if (domain.lacksFloor) this.#tellOnce(domain, () => this.#log.info(describeUnknownFloor(domain)));
      }
    }
  }

  #tellOnce(about: object, tell: () => void): void {
    if (this.#told.has(about)) return;
    this.#told.add(about);
    tell();
  }

  #timeOf({ epoch, offsets }: Table, row: number): number {
    return Number(epoch - this.#terms.epoch) + (row < 0 ? 0 : Math.round(offsets[row]));
  }
}

function describeResidual({ attributes }: HardwareLedger, residualNj: number): string {
  return `Cannot balance the ledger of ${String(attributes['hw.type'])}: ${residualNj} nJ are left, wanted 0`;
}

function describeUnknownFloor({ series, floor }: DomainLedger): string {
  const name = `${series.attributes['hw.type']} "${series.attributes['hw.id']}"`;
  const wanted = floor.isLearnable ? 'set "floor" or wait until it was learned in quiet' : 'set "floor"';
  return `Cannot tell idle from other energy of ${name}: its floor is not known, ${wanted}`;
}
