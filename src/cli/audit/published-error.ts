import type { Difference, DomainSheet, WindowSheet } from './sheet.js';

// The error of a window (docs/ledger.md, Uncertainty), from its sheet. It is not an integer: the two computations may
// round differently.
const rounding = 1e-9;
/** Factors of the tick, and of power between two readings. */
const tickPart = 0.8;
const powerRange = 2;
/** Minimum number of refreshes, each of at least 1 ms, in a window that shows how low the power of a domain can be. */
const shownRefreshes = 20;
const leastRefreshNs = 1e6;

/** The inputs to the error besides the sheet. */
export interface ErrorContext {
  /** The possible idle energies of the window, including what workloads bear of it. */
  readonly floorsNj: readonly bigint[];
  /** The minimum power up to the previous window; undefined: not known. */
  readonly leastWatts: number | null | undefined;
}

/** @returns the first term of the error, or the error itself, that differs */
export function checkError(
  sheet: WindowSheet,
  domain: DomainSheet,
  { floorsNj, leastWatts }: ErrorContext,
): Difference | undefined {
  const { error, time_share: timeShare } = sheet;
  if (timeShare > 1) return differ('share by time', 1, timeShare);
  const least = checkLeast(sheet, domain, leastWatts);
  if (least) return least;
  const expected = floorsNj.map((floorNj) => computeError(sheet, domain, Number(floorNj)));
  return expected.some((one) => isClose(one, error)) ? undefined : differ('error', expected[0] ?? NaN, error);
}

/** The minimum power only decreases, and only to that of a window that is long enough. */
function checkLeast(
  { from, to, energy_nj: energyNj, refresh_ns: refreshNs, least_w: found }: WindowSheet,
  { method }: DomainSheet,
  before: number | null | undefined,
): Difference | undefined {
  if (before === undefined) return undefined;
  const isLong = to - from >= shownRefreshes * Math.max(refreshNs, leastRefreshNs);
  const isCounted = method !== 'estimated' && energyNj > 0 && isLong;
  const expected = isCounted ? Math.min(before ?? Infinity, energyNj / (to - from)) : (before ?? Infinity);
  return isClose(expected, found ?? Infinity)
    ? undefined
    : differ('least power', expected, found ?? Infinity);
}

function computeError(sheet: WindowSheet, domain: DomainSheet, floorNj: number): number {
  const { from, to, energy_nj: energyNj, lag_ns: lagNs, delay_ns: delayNs = 0 } = sheet;
  const durationNs = to - from;
  const { domains_nj: domainsNj = 0 } = sheet;
  if (domain.method === 'estimated' || (energyNj === 0 && domainsNj > 0)) return 1;
  if (energyNj === 0) return Math.min(1, Math.max(lagPart(lagNs, durationNs), delayNs / durationNs));
  const dynamic = (energyNj - floorNj) / energyNj;
  const watts = energyNj / durationNs;
  const floorWatts = sheet.floor_error_w ?? Math.min(sheet.least_w ?? Infinity, watts);
  const floor = Math.min(floorWatts / watts, 1);
  const weights = misplaced(sheet, domain.hw_type) * dynamic;
  const varying = dynamic + domainsNj / energyNj;
  return Math.min(1, noise(sheet, varying) + floor + weights + sheet.unattributed_nj / energyNj);
}

/** @param varying energy that may change within the window, relative to the energy of the window */
function noise(
  { from, to, lag_ns, delay_ns = 0, edge_ns, tick_ns, step_ns = 0 }: WindowSheet,
  varying: number,
): number {
  const durationNs = to - from;
  const squares =
    (lagPart(lag_ns, durationNs) * durationNs) ** 2 +
    (powerRange * delay_ns * varying) ** 2 +
    (powerRange * edge_ns * varying) ** 2 +
    (tickPart * tick_ns) ** 2 +
    varying ** 2 * step_ns * durationNs;
  return Math.sqrt(squares) / durationNs;
}

/** The energy at the ends of a window, compared with that of a window that is shorter by the lag of the meter. */
function lagPart(lagNs: number, durationNs: number): number {
  return lagNs >= durationNs ? 1 : lagNs / (durationNs - lagNs);
}

/** The fraction of the shared energy that may be wrong, since energy per weight differs between workloads. */
function misplaced({ weight, used, whole_ns, is_gap, time_share }: WindowSheet, hwType: string): number {
  const ofTime = hwType === 'memory' ? 16 : 4;
  const ratio = { frequency_cpu_time: 3, memory_bandwidth: 2, cache_misses: 3 }[weight];
  const largest = used.reduce((most, [, own = 0]) => Math.max(most, own), 0);
  const top = is_gap || whole_ns === 0 ? 1 : largest / whole_ns;
  const byWeight = worst(ratio ?? ofTime, top);
  return ratio === undefined ? byWeight : Math.min(1, byWeight + time_share * worst(ofTime, 0));
}

/** The maximum wrong fraction, over all fractions of the weights that workloads with higher energy may have. */
function worst(ratio: number, top: number): number {
  const wrong = (part: number) => (part * (1 - part) * (ratio - 1)) / (1 + part * (ratio - 1));
  const peak = 1 / (1 + Math.sqrt(ratio));
  return top <= 1 - peak ? wrong(peak) : Math.max(wrong(1 - top), wrong(top));
}

function isClose(expected: number, found: number): boolean {
  return expected === found || Math.abs(expected - found) <= rounding * Math.max(1, Math.abs(expected));
}

function differ(figure: string, expected: number, found: number): Difference {
  return { figure, expected: String(expected), found: String(found) };
}
