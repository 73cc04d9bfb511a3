import { KnotFinder, type Finding } from '../energy/knot-finder.js';
import { MarkedCounter } from '../energy/marked-counter.js';
import { ATTR_ENERGY_METHOD, ATTR_HW_ID, ATTR_HW_NAME, ATTR_HW_TYPE } from '../model/semantic-conventions.js';
import type { Series } from '../model/series.js';
import { KnotSpan } from './knot-span.js';
import { PeakPower } from './peak-power.js';

/** The energy of a domain between two marks. */
export interface DomainEnergy {
  /** `hw.id`, `hw.name` and `hw.type` of the domain. */
  readonly id: string;
  readonly name: string;
  readonly type: string;
  /** Whether it comes from a model instead of a meter. */
  readonly isEstimated: boolean;
  readonly joules: number;
  /** Whether the meter is slower than its readings, and its energy at the edges was derived from its mean power. */
  readonly isExtended: boolean;
  /** Largest mean over 100 ms or 20 refreshes of the meter, whichever is longer; undefined for a shorter time. */
  readonly peakWatts: number | undefined;
  /** Refresh time of its meter, as far as it was observed. */
  readonly refreshSeconds: number;
}

const shortestPeakNs = 100e6;
const refreshesOfPeak = 20;

/** No known meter is refreshed more often than RAPL. */
const leastRefreshNs = 1e6;

/** An estimate is computed at each reading, from the clock ticks of /proc/stat. */
const estimatedRefreshNs = 10e6;

type Identity = Pick<DomainEnergy, 'id' | 'name' | 'type' | 'isEstimated'>;

/** The energy counter of a domain, divided at marks. */
export class DomainMeter {
  readonly #identity: Identity;
  readonly #counter: MarkedCounter;
  readonly #peak = new PeakPower();
  readonly #peaks: number[] = [];
  readonly #marks: readonly number[];
  /** The refreshes before the first mark, and after each. */
  readonly #spans = [new KnotSpan()];
  #finder = new KnotFinder();
  #finding: Finding = 'nothing';
  /** Infinity: unknown. */
  #refreshNs = Infinity;

  /**
   * @param series the first of this domain
   * @param origin Unix time in nanoseconds of time 0
   * @param marks ascending; the caller appends to it
   */
  constructor(series: Series, origin: bigint, marks: readonly number[]) {
    this.#identity = identify(series);
    this.#marks = marks;
    this.#counter = new MarkedCounter(origin, marks, (at, total, isMark) => this.#observe(at, total, isMark));
  }

  read(series: Series, at: number, joules: number): void {
    if (!Number.isNaN(joules)) this.#finding = this.#learnRefresh(at, joules);
    this.#counter.read(series, at, joules);
  }

  /** Energy between a mark and the next one. */
  between(mark: number): DomainEnergy {
    const peakWatts = this.#peaks[mark + 1] ?? NaN;
    const extended = this.#extendTo(mark);
    return {
      ...this.#identity,
      joules: extended ?? this.#counter.between(mark),
      isExtended: extended !== undefined,
      peakWatts: Number.isNaN(peakWatts) ? undefined : peakWatts,
      refreshSeconds: this.#shownRefreshNs / 1e9,
    };
  }

  /** The energy of a slow meter up to the marks; undefined where that is not needed, or not known. */
  #extendTo(mark: number): number | undefined {
    const { refreshNs } = this.#finder;
    const { [mark]: from, [mark + 1]: to } = this.#marks;
    const isSlow = refreshNs > 0 && !this.#identity.isEstimated;
    if (!isSlow || from === undefined || to === undefined) return undefined;
    return this.#spans[mark + 1]?.extendTo(from, to, refreshNs);
  }

  get #shownRefreshNs(): number {
    return this.#identity.isEstimated ? estimatedRefreshNs : Math.max(leastRefreshNs, this.#refreshNs);
  }

  #learnRefresh(at: number, joules: number): Finding {
    const sinceNs = at - this.#finder.changedAt;
    const finding = this.#finder.read(Float64Array.of(at, joules));
    // What was learned before a reset is still valid.
    if (finding === 'fallen') this.#finder = new KnotFinder();
    const { changeNs, changedAt } = this.#finder;
    if (changeNs > 0) this.#refreshNs = changeNs;
    // In a run with a single change, no more is known.
    else if (changedAt === at && sinceNs < this.#refreshNs) this.#refreshNs = sinceNs;
    return finding;
  }

  #observe(at: number, total: number, isMark: boolean): void {
    const windowNs = Math.max(shortestPeakNs, refreshesOfPeak * this.#shownRefreshNs);
    this.#peak.add(at, total, windowNs);
    if (!isMark) {
      if (this.#finding !== 'nothing' && this.#finding !== 'late') this.#spans.at(-1)?.add(at, total);
      return;
    }
    this.#spans.push(new KnotSpan());
    this.#peaks.push(this.#peak.restart());
    this.#peak.add(at, total, windowNs);
  }
}

function identify({ attributes }: Series): Identity {
  const { [ATTR_HW_ID]: id = '', [ATTR_HW_NAME]: name = id, [ATTR_HW_TYPE]: type = '' } = attributes;
  const isEstimated = attributes[ATTR_ENERGY_METHOD] === 'estimated';
  return { id: String(id), name: String(name), type: String(type), isEstimated };
}
