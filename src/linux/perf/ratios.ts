import { elementAt } from '../../element.js';
import type { CountedEvent } from './counted-event.js';
import { perfType } from './event.js';

/** The names of ratios. */
export type RatioKind = 'instructions_per_cycle' | 'cache_miss_ratio' | 'branch_miss_ratio';

/** A meaningful ratio of two events. */
export interface EventRatio {
  readonly kind: RatioKind;
  readonly numerator: CountedEvent;
  readonly denominator: CountedEvent;
}

// Numbers of enum perf_hw_id: instructions and cycles, misses and their base.
const ofHardware: readonly (readonly [kind: RatioKind, numerator: bigint, denominator: bigint])[] = [
  ['instructions_per_cycle', 1n, 0n],
  ['cache_miss_ratio', 3n, 2n],
  ['branch_miss_ratio', 5n, 4n],
];

const missBit = 1n << 16n;

/** The ratios of events that are counted with the same modifiers. */
export function findRatios(events: readonly CountedEvent[]): readonly EventRatio[] {
  return events.flatMap((numerator) => {
    const wanted = findDenominator(numerator);
    const denominator = wanted && events.find((event) => matches(event, numerator, wanted.config));
    return wanted && denominator ? [{ kind: wanted.kind, numerator, denominator }] : [];
  });
}

function findDenominator(event: CountedEvent): { kind: RatioKind; config: bigint } | undefined {
  const { type, config } = codeOf(event);
  if (type === perfType.hardware) {
    const found = ofHardware.find(([, numerator]) => numerator === config);
    return found && { kind: found[0], config: found[2] };
  }
  const isMiss = type === perfType.cache && (config & missBit) !== 0n;
  return isMiss ? { kind: 'cache_miss_ratio', config: config & ~missBit } : undefined;
}

function matches(event: CountedEvent, numerator: CountedEvent, config: bigint): boolean {
  const [own, other] = [codeOf(event), codeOf(numerator)];
  const isSame = own.type === other.type && own.config === config;
  const isCountedAlike = JSON.stringify(event.modifiers) === JSON.stringify(numerator.modifiers);
  return isSame && isCountedAlike && event.encodings.length === numerator.encodings.length;
}

/** Without the PMU number in the upper half. */
function codeOf({ encodings }: CountedEvent): { type: number; config: bigint } {
  const { type, config } = elementAt(encodings, 0);
  return { type, config: config & 0xffff_ffffn };
}
