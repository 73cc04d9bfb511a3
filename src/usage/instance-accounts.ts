import { share } from '../energy/share.js';
import type { Account, Publication } from './publication.js';
import type { Window } from './windows.js';

/**
 * The energy of a GPU by its MIG instances: each is charged a part of the dynamic energy in proportion to its
 * GPU time.
 */
export class InstanceAccounts {
  readonly #publication: Publication;
  readonly #create: (id: string, from: number) => Account;
  readonly #accounts = new Map<string, Account>();
  readonly #shares: number[] = [];

  /** @param create creates the account of an instance, starting with the window that begins at `from` */
  constructor(publication: Publication, create: (id: string, from: number) => Account) {
    this.#publication = publication;
    this.#create = create;
  }

  /**
   * Books a window.
   * @returns the energy of each instance, in the order of the usage; empty where nothing was used
   * @param dynamicNj its energy without idle energy
   * @param wholeNs GPU time of all workloads, known or not
   */
  settle(
    { usage: { instances = [], isGap }, from }: Window,
    dynamicNj: number,
    wholeNs: number,
  ): readonly number[] {
    if (isGap || (instances.length === 0 && this.#accounts.size === 0)) return [];
    this.#endGone(new Set(instances.map(({ id }) => id)));
    const used = instances.map(({ usedNs }) => usedNs);
    const allNs = Math.max(
      wholeNs,
      used.reduce((sum, ns) => sum + ns, 0),
    );
    if (allNs > 0) share(dynamicNj, used, allNs, this.#shares);
    instances.forEach(({ id }, i) => {
      const account = this.#accounts.get(id) ?? this.#publication.open(this.#create(id, from));
      this.#accounts.set(id, account);
      if (allNs > 0) account.total.add(this.#shares[i] ?? 0);
    });
    return allNs > 0 ? instances.map((_, i) => this.#shares[i] ?? 0) : [];
  }

  /** Ends its published series. */
  close(): void {
    this.#endGone(new Set());
  }

  #endGone(live: ReadonlySet<string>): void {
    for (const [id, account] of this.#accounts) {
      if (live.has(id)) continue;
      this.#publication.end(account);
      this.#accounts.delete(id);
    }
  }
}
