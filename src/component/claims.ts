import { createPlans } from '../model/plan.js';
import { publisherOf, type AnySeries, type Series } from '../model/series.js';
import { createSelection, selectColumns, type Selection, type Table } from '../model/table.js';
import type { Consumer } from './consumer.js';
import type { Place } from './domain-tree.js';
import type { Log } from './log.js';

/**
 * Decides which receiver publishes what a machine has only once. Keys are paths from broad to narrow, and a
 * claim of a whole includes its parts: `energy/cpu` is every CPU, `energy/cpu/0` a socket, `energy/cpu/0/1` a
 * die of it.
 *
 * - `energy/<hw.type>/<which>`: the energy of a physical domain, in `hw.energy` or a metric of its own:
 *   `energy/cpu/0` and `energy/memory/0` of socket 0, `energy/gpu/0000:65:00.0` of the GPU at that PCI address,
 *   or its UUID. For meters, `claimEnergy` asks for it;
 * - `energy/host`: the energy of the whole host, in `hw.host.energy`. It is independent of the domains that it
 *   contains: both are published;
 * - `usage`: the CPU time of every process and the busy time of the machine that closes a scan.
 */
export interface Claims {
  /**
   * Claims a key for as long as this receiver runs. The first claim wins: receivers start in the order of the
   * configuration, those that yield after the others, and fallbacks last. A receiver may repeat its own claims.
   * @returns undefined when this receiver has it; otherwise the id of the receiver that has it, and this one
   * must not publish it
   */
  claim(key: string): string | undefined;
  /**
   * Reports the position of a meter in the tree of domains, before its first table at the latest, and at the
   * start if possible: the meter of the enclosing domain, of whichever receiver, becomes the `hw.parent` of its
   * energy and power.
   */
  place(place: Place): void;
}

/** For a receiver without others, as in `doctor` and in tests: every claim succeeds. */
export const freeClaims: Claims = { claim: () => undefined, place: () => {} };

/** The claims of receivers, for processors that publish only what no receiver publishes. */
export interface Owners {
  /** Whether every receiver has started, and so has claimed what it publishes. */
  readonly isComplete: boolean;
  /** Changes whenever an owner may have changed. */
  readonly version: number;
  /**
   * @param key as for `Claims.claim`
   * @returns the id of the receiver that has it, a part of it or a whole that contains it; undefined: no
   * receiver has it
   */
  ownerOf(key: string): string | undefined;
}

/** For a processor without receivers, as in tests. */
export const noOwners: Owners = { isComplete: true, version: 0, ownerOf: () => undefined };

/** Wraps the consumer of a receiver and leaves out the series that another receiver publishes. */
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
   * Claims what a series measures. Call it before its first table.
   * @param key as for `Claims.claim`
   * @returns undefined when the series is forwarded; otherwise the id of the receiver that publishes it
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
  /** The receiver whose series are left out. */
  readonly receiver: string;
  /** The receiver that publishes them. */
  readonly owner: string;
  /** A metric of such series. */
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
 * Warns of series that are left out because another receiver publishes them: once per pair of receivers.
 * @param logFor the log to warn in, by the receiver whose series is left out
 * @returns called for each series that is left out, with the receiver that publishes it
 */
export function reportConflicts(
  logFor: (receiverId: string) => Log,
): (series: AnySeries, owner: string) => void {
  const reported = new Set<string>();
  return (series, owner) => {
    const receiver = publisherOf(series) ?? '';
    // Each of two receivers may leave out what the other one published first; they get one warning.
    const pair = [receiver, owner].toSorted().join('\n');
    if (reported.has(pair)) return;
    reported.add(pair);
    logFor(receiver).warn(describeConflict({ receiver, owner, metric: series.metric.name }));
  };
}
