import type { Attributes } from '../../src/model/series.js';
import type { Consumer } from './consumer.js';
import type { DomainLedger } from './domain-ledger.js';
import { Balance, EnergyTotal } from './energy-total.js';
import { Account, Publication } from './publication.js';
import type { Usage } from './usage.js';
import type { Group, View } from './views.js';

/** What the consumers of one view got. */
interface ViewBook {
  readonly view: View;
  readonly live: Set<Account>;
  /** What the groups got that have gone. */
  readonly past: EnergyTotal;
}

export interface HardwareTerms {
  /** Which of all such ledgers it is. */
  readonly index: number;
  readonly views: readonly View[];
  /** Unix time in nanoseconds of time 0. */
  readonly epoch: bigint;
}

/**
 * The ledgers of all domains of one kind of hardware with one kind of meter, and what their energy gave each
 * consumer: one counter per consumer, view and kind.
 */
export class HardwareLedger {
  readonly publication: Publication;
  readonly attributes: Attributes;
  readonly #index: number;
  readonly #epoch: bigint;
  readonly #domains = new Map<string, DomainLedger>();
  /** What the domains gave away that have gone. */
  readonly #past = new EnergyTotal();
  readonly #books: readonly ViewBook[];
  /** Whether the last window was settled too late for the row of its boundary. */
  #isLate = false;

  /** @param attributes of what its consumers got */
  constructor(attributes: Attributes, { index, views, epoch }: HardwareTerms) {
    this.attributes = attributes;
    this.#index = index;
    this.#epoch = epoch;
    this.publication = new Publication(epoch);
    this.#books = views.map((view) => ({ view, live: new Set(), past: new EnergyTotal() }));
  }

  get domains(): Iterable<DomainLedger> {
    return this.#domains.values();
  }

  /** By how much its accounts disagree: 0, or the ledger is wrong. */
  get residualNj(): number {
    let worst = 0;
    const judge = (residualNj: number) => {
      if (Math.abs(residualNj) > Math.abs(worst)) worst = residualNj;
    };
    for (const domain of this.#domains.values()) judge(domain.residualNj);
    for (const book of this.#books) judge(this.#balance(book));
    return worst;
  }

  /** @param create makes the ledger of a domain that was not seen so far */
  findDomain(key: string, create: () => DomainLedger): DomainLedger {
    const known = this.#domains.get(key);
    if (known) return known;
    const domain = create();
    this.#domains.set(key, domain);
    return domain;
  }

  /** Takes the usage up to a boundary. */
  push(usage: Usage): void {
    for (const [key, domain] of this.#domains) {
      domain.meter.push(usage);
      if (!domain.meter.isGone(usage.to)) continue;
      domain.close();
      this.#domains.delete(key);
      this.#past.addTotal(domain.attributed);
    }
  }

  /** Settles every window that can be settled, boundary after boundary, and writes a row for each. */
  settle(): void {
    for (let at = this.#findNext(); at !== Infinity; at = this.#findNext()) {
      for (const domain of this.#domains.values()) {
        if (domain.meter.findNext() === at) domain.settle();
      }
      // A domain whose energy comes later than that of the others is in their next row.
      this.#isLate = at <= this.publication.lastAt;
      if (!this.#isLate) this.publication.writeRow(at);
    }
  }

  /** No energy and no usage will follow. */
  finish(): void {
    for (const domain of this.#domains.values()) domain.meter.close();
    this.settle();
    // What came late has no next row to be in.
    if (this.#isLate) this.publication.writeRow(this.publication.lastAt + 1);
    this.#isLate = false;
  }

  /** Books energy on a consumer's group in every view. */
  charge(consumer: Consumer, energyNj: number, from: number): void {
    for (let i = 0; i < this.#books.length; i++) {
      const group = consumer.groups[i];
      const account = group.accounts[this.#index] ?? this.#open(this.#books[i], group, from);
      account.total.add(energyNj);
    }
  }

  /** Ends what it publishes of a group that has gone. */
  closeGroup(view: View, group: Group): void {
    const account = group.accounts[this.#index];
    const book = this.#books.find((one) => one.view === view);
    if (account === undefined || book === undefined) return;
    this.publication.end(account);
    book.live.delete(account);
    book.past.addTotal(account.total);
  }

  /** Whether everything up to this boundary is settled and in a row. */
  isDoneWith(boundary: number): boolean {
    return !this.#isLate && [...this.#domains.values()].every(({ meter }) => meter.isDoneWith(boundary));
  }

  /** What the domains gave away without what the groups of a view got. */
  #balance({ live, past }: ViewBook): number {
    const balance = new Balance();
    balance.plus(this.#past);
    for (const { attributed } of this.#domains.values()) balance.plus(attributed);
    balance.minus(past);
    for (const { total } of live) balance.minus(total);
    return balance.energyNj;
  }

  #findNext(): number {
    let next = Infinity;
    for (const { meter } of this.#domains.values()) {
      const at = meter.findNext();
      if (at < next) next = at;
    }
    return next;
  }

  #open({ view, live }: ViewBook, group: Group, from: number): Account {
    const account = this.publication.open(
      new Account({
        metric: view.metric,
        resource: group.resource,
        attributes: this.attributes,
        // Who was born within the window used nothing before.
        start: this.#epoch + BigInt(Math.max(from, group.bornAt)),
      }),
    );
    group.accounts[this.#index] = account;
    live.add(account);
    return account;
  }
}
