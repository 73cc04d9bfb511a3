import { createPlans } from '../model/plan.js';
import { publisherOf, type AnySeries, type Series } from '../model/series.js';
import { createSelection, selectColumns, type Selection, type Table } from '../model/table.js';
import type { Consumer } from './consumer.js';
import type { Place } from './domain-tree.js';
import type { Log } from './log.js';

/**
 * Who publishes what a machine has once only. Asked for by keys that are paths, broad to narrow, so that a receiver that has
 * a whole has its parts, too: `energy/cpu` is every CPU, `energy/cpu/0` a socket, `energy/cpu/0/1` a die of it.
 *
 * - `energy/<hw.type>/<which>`: the energy of a physical domain, in `hw.energy` or a metric of its own: `energy/cpu/0` and
 *   `energy/memory/0` of socket 0, `energy/gpu/0000:65:00.0` of the GPU at that PCI address, or its UUID. For meters, `claimEnergy`
 *   asks for it;
 * - `energy/host`: the energy of the whole host, in `hw.host.energy`. It is apart from that of the domains, which it
 *   contains: both are published;
 * - `usage`: the CPU time of every process and the busy time of the machine that closes a scan.
 */
export interface Claims {
  /**
   * Asks for something, for as long as this receiver runs. The first to ask has it: receivers start in the order
   * of the configuration, those that yield after the others and those that stand in for others last. What one has
   * may be asked for again.
   * @returns undefined when it is this receiver's; otherwise the id of the one that has it: then it is left out
   */
  claim(key: string): string | undefined;
  /**
   * Reports where a meter is in the tree of domains, at the latest before its first table, and at the start where that is
   * possible: what contains it becomes the `hw.parent` of its energy and power, whichever receiver that is of.
   */
  place(place: Place): void;
}

/** For a receiver without others, as in `doctor` and in tests: everything can be had. */
export const freeClaims: Claims = { claim: () => undefined, place: () => {} };

/** What receivers have claimed, for processors that publish only what no receiver does. */
export interface Owners {
  /** Whether every receiver has started, and so has claimed what it publishes. */
  readonly isComplete: boolean;
  /** Differs whenever an owner may have changed. */
  readonly version: number;
  /**
   * @param key as for `Claims.claim`
   * @returns the id of the receiver that has it, a part of it or a whole that contains it; undefined: there is none
   */
  ownerOf(key: string): string | undefined;
}

/** For a processor without receivers, as in tests. */
export const noOwners: Owners = { isComplete: true, version: 0, ownerOf: () => undefined };

/** Stands behind a receiver and leaves out the series of what another receiver publishes. */
export class ClaimedSeries implements Consumer {
  readonly #claims: Pick<Claims, 'claim'>;
  readonly #next: Consumer;
  readonly #foreign = new WeakSet<Series>();
  readonly #planColumns = createPlans((series: readonly Series[]) => this.#findOwn(series));

  constructor(claims: Pick<Claims, 'claim'>, next: Consumer) {
    this.#claims = claims;
    this.#next = next;
  }

  /**
   * Claims what a series measures, before any table with it comes.
   * @param key as for `Claims.claim`
   * @returns undefined when it is passed on; otherwise the id of the receiver that publishes it
   */
  claim(key: string, series: Series): string | undefined {
    const owner = this.#claims.claim(key);
    if (owner !== undefined) this.#foreign.add(series);
    return owner;
  }

  consume(table: Table): boolean {
    const plan = this.#planColumns(table.series);
    const ended = table.ended?.filter((series) => !this.#foreign.has(series));
    const isWhole = plan.columns.length === table.series.length;
    if (isWhole && ended?.length === table.ended?.length) return this.#next.consume(table);
    const kept = isWhole ? table : selectColumns(table, plan);
    if (kept.series.length === 0 && (ended ?? []).length === 0) return true;
    const { series, epoch, offsets, values } = kept;
    return this.#next.consume({ series, epoch, offsets, values, ...(ended && { ended }) });
  }

  #findOwn(series: readonly Series[]): Selection {
    return createSelection(series, (one) => !this.#foreign.has(one));
  }
}

/** Two receivers that publish the same series. */
export interface Conflict {
  /** The one whose series are left out. */
  readonly receiver: string;
  /** The one that publishes them. */
  readonly owner: string;
  /** A metric of which there are such series. */
  readonly metric: string;
}

/** The warning of a conflict, with its remedies. */
export function describeConflict({ receiver, owner, metric }: Conflict): string {
  return (
    `Leaving out series of receiver "${receiver}" that receiver "${owner}" publishes, such as ${metric}: ` +
    'each series has one publisher; remove one of the two receivers, ' +
    'let them measure different things, or connect them to different exporters'
  );
}

/**
 * Warns of series that are left out because another receiver publishes them: once for each two receivers.
 * @param logFor the log to warn in, by the receiver whose series is left out
 * @returns notified of a series that is left out and of the receiver that publishes it
 */
export function reportConflicts(
  logFor: (receiverId: string) => Log,
): (series: AnySeries, owner: string) => void {
  const reported = new Set<string>();
  return (series, owner) => {
    const receiver = publisherOf(series) ?? '';
    // What each of them published first, the other one leaves out.
    const pair = [receiver, owner].toSorted().join('\n');
    if (reported.has(pair)) return;
    reported.add(pair);
    logFor(receiver).warn(describeConflict({ receiver, owner, metric: series.metric.name }));
  };
}
