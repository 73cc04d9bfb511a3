import { fitPolynomial } from './line-fit.js';
import { studentQuantile } from './student-quantile.js';

/** A point of the regression is the mean of at least this time and this many refreshes of the host's meter. */
const minPointNs = 1e9;
const minPointRefreshes = 10;
/** How many points make a line, and how many are kept. */
const wantedPoints = 30;
const keptPoints = 600;
/** The slope counts as known once half its 95 % confidence interval is at most this. */
const maxHalfWidth = 0.05;
/** How a meter of a platform grows with the domains that it contains, in watts for each watt of them. */
const leastSlope = 0.9;
const mostSlope = 2;
/** What a meter shows at least of what the domains use that it contains: readings of both are not of the same instant. */
const leastPart = 0.99;

/** By how much a host uses more when its domains use more. */
export interface LossRatio {
  /** Watts beyond the domains for each watt of them: losses of supplies and regulators, and fans that follow the load. */
  readonly ratio: number;
  /** Half the 95 % confidence interval of the ratio. */
  readonly halfWidth: number;
  readonly source: 'calibrated' | 'regression';
}

/** What shows that a meter does not contain the domains, or counts in another unit. */
export interface Refutation {
  /** Means of both. */
  readonly meterWatts: number;
  readonly domainWatts: number;
  /** Watts of the meter for each watt of the domains; undefined: not known. */
  readonly slope: number | undefined;
}

/** The power of a host against that of its domains: a line through windows that are long enough, by least squares. */
export class LossRegression {
  #domainWatts: number[] = [];
  #hostWatts: number[] = [];
  #durationNs = 0;
  #domainNj = 0;
  #hostNj = 0;
  #current: LossRatio | undefined;
  #slope: number | undefined;

  /** Undefined: too few windows so far, or too much alike. */
  get current(): LossRatio | undefined {
    return this.#current;
  }

  /** Whether the meter shows what a meter does that contains the domains; undefined: that is not known so far. */
  get contains(): boolean | undefined {
    if (this.refutation !== undefined) return false;
    return this.#slope === undefined ? undefined : true;
  }

  /** Undefined: nothing shows that the meter does not contain the domains. */
  get refutation(): Refutation | undefined {
    if (this.#hostWatts.length < wantedPoints) return undefined;
    const [meterWatts, domainWatts] = [meanOf(this.#hostWatts), meanOf(this.#domainWatts)];
    const slope = this.#slope;
    const isLike = slope === undefined || (slope >= leastSlope && slope <= mostSlope);
    return isLike && meterWatts >= leastPart * domainWatts ? undefined : { meterWatts, domainWatts, slope };
  }

  /** Takes a window that follows the one before. */
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

  /** The next window does not follow the one before. */
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

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
