import { findOrAdd } from '../model/plan.js';
import type { Series } from '../model/series.js';
import { fitPolynomial } from './line-fit.js';
import { meanOf } from './statistics.js';
import { studentQuantile } from './student-quantile.js';

/** A point of the regression is the mean over at least this time and this number of refreshes of the host's meter. */
const minPointNs = 1e9;
const minPointRefreshes = 10;
/** Number of points needed for a line, and the number that is kept. */
const wantedPoints = 30;
const keptPoints = 600;
/** The slope counts as known once half its 95 % confidence interval is at most this. */
const maxHalfWidth = 0.05;
/** Minimum slope of a platform's meter over the domains that it contains, in watts per watt. */
const leastSlope = 0.9;
const mostSlope = 2;
/** Minimum ratio of a meter to the domains that it contains: their readings are not simultaneous. */
const leastPart = 0.99;

/** How much a host's power rises with that of its domains. */
export interface LossRatio {
  /**
   * Watts beyond the domains per watt of them: losses of power supplies and regulators, and fans that follow
   * the load.
   */
  readonly ratio: number;
  /** Half the 95 % confidence interval of the ratio. */
  readonly halfWidth: number;
  readonly source: 'calibrated' | 'regression';
}

/** Evidence that a meter does not contain the domains, or counts in another unit. */
export interface Refutation {
  /** Mean power of both. */
  readonly meterWatts: number;
  readonly domainWatts: number;
  /** Watts of the meter per watt of the domains; undefined: not known. */
  readonly slope: number | undefined;
}

const regressions = new Map<string, WeakMap<Series, LossRegression>>();

/**
 * The regression of a meter that contains domains. A reload may replace the processor while receivers continue with the
 * same series: its next ledger continues with what was found.
 * @param id of the processor
 */
export function regressionOf(id: string, container: Series): LossRegression {
  const own = findOrAdd(regressions, id, () => new WeakMap<Series, LossRegression>());
  const known = own.get(container);
  if (known) return known;
  const created = new LossRegression();
  own.set(container, created);
  return created;
}

/**
 * The power of a host as a function of that of its domains: a line through sufficiently long windows, by least
 * squares.
 */
export class LossRegression {
  #domainWatts: number[] = [];
  #hostWatts: number[] = [];
  #durationNs = 0;
  #domainNj = 0;
  #hostNj = 0;
  #current: LossRatio | undefined;
  #slope: number | undefined;

  /** Undefined: too few windows so far, or too similar ones. */
  get current(): LossRatio | undefined {
    return this.#current;
  }

  /** Whether the meter behaves like one that contains the domains; undefined: not known yet. */
  get contains(): boolean | undefined {
    if (this.refutation !== undefined) return false;
    return this.#slope === undefined ? undefined : true;
  }

  /** Undefined: no evidence that the meter does not contain the domains. */
  get refutation(): Refutation | undefined {
    if (this.#hostWatts.length < wantedPoints) return undefined;
    const [meterWatts, domainWatts] = [meanOf(this.#hostWatts), meanOf(this.#domainWatts)];
    const slope = this.#slope;
    const isLike = slope === undefined || (slope >= leastSlope && slope <= mostSlope);
    return isLike && meterWatts >= leastPart * domainWatts ? undefined : { meterWatts, domainWatts, slope };
  }

  /** Adds a window that follows the previous one. */
  observe(durationNs: number, hostNj: number, domainNj: number, refreshNs: number): void {
    this.#durationNs += durationNs;
    this.#hostNj += hostNj;
    this.#domainNj += domainNj;
    if (this.#durationNs < Math.max(minPointNs, minPointRefreshes * refreshNs)) return;
    this.#domainWatts.push(this.#domainNj / this.#durationNs);
    this.#hostWatts.push(this.#hostNj / this.#durationNs);
    this.interrupt();
    if (this.#hostWatts.length > keptPoints) this.#forgetFirst();
    if (this.#hostWatts.length >= wantedPoints) this.#current = this.#fit();
  }

  /** The next window does not follow the previous one. */
  interrupt(): void {
    this.#durationNs = 0;
    this.#hostNj = 0;
    this.#domainNj = 0;
  }

  #forgetFirst(): void {
    this.#domainWatts.shift();
    this.#hostWatts.shift();
  }

  #fit(): LossRatio | undefined {
    const fit = fitPolynomial(this.#domainWatts, this.#hostWatts, 1);
    const [, slope = NaN] = fit?.coefficients ?? [];
    const [, error = NaN] = fit?.errors ?? [];
    const halfWidth = fit === undefined ? NaN : studentQuantile(0.975, fit.degrees) * error;
    this.#slope = halfWidth <= maxHalfWidth ? slope : undefined;
    if (this.#slope === undefined) return undefined;
    return { ratio: Math.max(0, slope - 1), halfWidth, source: 'regression' };
  }
}
