import type { CountedEvent } from '../../src/linux/perf-counted-event.js';
import { perfType } from '../../src/linux/perf-event.js';
import type { Metric } from '../../src/model/series.js';
import { branchMissRatio, cacheMissRatio, instructionsPerCycle } from './metrics.js';

/** A quotient of two events. */
export interface Derivation {
  readonly metric: Metric;
  readonly numerator: CountedEvent;
  readonly denominator: CountedEvent;
}

// Numbers of enum perf_hw_id.
const ofHardware: readonly (readonly [metric: Metric, numerator: bigint, denominator: bigint])[] = [
  [instructionsPerCycle, 1n, 0n],
  [cacheMissRatio, 3n, 2n],
  [branchMissRatio, 5n, 4n],
];

const missBit = 1n << 16n;

/** The quotients that mean something, of events that are counted on the same side (user, kernel) of the same PMUs. */
export function findDerivations(events: readonly CountedEvent[]): readonly Derivation[] {
  return events.flatMap((numerator) => {
    const wanted = findDenominator(numerator);
    const denominator = wanted && events.find((event) => matches(event, numerator, wanted.config));
    return wanted && denominator ? [{ metric: wanted.metric, numerator, denominator }] : [];
  });
}

function findDenominator(event: CountedEvent): { metric: Metric; config: bigint } | undefined {
  const { type, config } = codeOf(event);
  if (type === perfType.hardware) {
    const found = ofHardware.find(([, numerator]) => numerator === config);
    return found && { metric: found[0], config: found[2] };
  }
  const isMiss = type === perfType.cache && (config & missBit) !== 0n;
  return isMiss ? { metric: cacheMissRatio, config: config & ~missBit } : undefined;
}

function matches(event: CountedEvent, numerator: CountedEvent, config: bigint): boolean {
  const [own, other] = [codeOf(event), codeOf(numerator)];
  const isSame = own.type === other.type && own.config === config;
  return isSame && JSON.stringify(event.modifiers) === JSON.stringify(numerator.modifiers);
}

/** Without the number of the PMU in the upper half. */
function codeOf({ encodings: [{ type, config }] }: CountedEvent): { type: number; config: bigint } {
  return { type, config: config & 0xffff_ffffn };
}

/** Quotients of columns over windows of readings, one after the other: each shows the last window that ended. */
export class DerivedColumns {
  readonly #pairs: readonly (readonly [numerator: number, denominator: number])[];
  readonly #readings: number;
  readonly #before: Float64Array;
  readonly #shown: Float64Array;
  #left = 0;

  /**
   * @param pairs columns of counts
   * @param readings that make up a window
   */
  constructor(pairs: readonly (readonly [numerator: number, denominator: number])[], readings: number) {
    this.#pairs = pairs;
    this.#readings = readings;
    this.#before = new Float64Array(2 * pairs.length).fill(Number.NaN);
    this.#shown = new Float64Array(pairs.length).fill(Number.NaN);
  }

  /** Writes the quotients; NaN before the first window has ended, and for nothing over nothing. */
  write(counts: Float64Array, values: Float64Array, at: number): void {
    if (this.#left === 0) {
      this.#close(counts);
      this.#left = this.#readings;
    }
    this.#left--;
    for (let i = 0; i < this.#shown.length; i++) values[at + i] = this.#shown[i];
  }

  #close(counts: Float64Array): void {
    for (let i = 0; i < this.#pairs.length; i++) {
      const [numerator, denominator] = this.#pairs[i];
      const grown = counts[denominator] - this.#before[2 * i + 1];
      this.#shown[i] = grown > 0 ? (counts[numerator] - this.#before[2 * i]) / grown : Number.NaN;
      this.#before[2 * i] = counts[numerator];
      this.#before[2 * i + 1] = counts[denominator];
    }
  }
}
