/**
 * What may go wrong. Of a sensor: wrap (it wraps at that instant), reset (it begins at 0), torn (a read gives the
 * first digits only), failed (a read fails), empty (a read gives nothing), slow (it refreshes every `forUs` or
 * 5 s), dead (it stands still), hotplug (it is gone and comes back). Of the machine: suspend (time in which nothing
 * runs), offline (a CPU goes and comes back).
 */
export const faultKinds = [
  'wrap',
  'reset',
  'torn',
  'failed',
  'empty',
  'slow',
  'dead',
  'hotplug',
  'suspend',
  'offline',
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** Something that goes wrong at a stated time. */
export interface Fault {
  readonly kind: FaultKind;
  /** Simulated time at which it begins, in microseconds. */
  readonly atUs: number;
  /** How long it lasts, in microseconds; without meaning for wrap and reset. */
  readonly forUs: number;
  /** The domain whose sensor it is, say `package-0`; undefined: every sensor. */
  readonly domain?: string | undefined;
  /** The CPU that goes offline; 1 if it is not said. */
  readonly cpu?: number | undefined;
}

/** Faults of reads that come by chance: which share of all reads has them, 0 to 1. */
export interface FaultShares {
  readonly torn: number;
  readonly failed: number;
  readonly empty: number;
}

/** How a read goes wrong. */
export type ReadFault = keyof FaultShares;

/** Whether a fault is there at an instant. */
export function isActive({ atUs, forUs }: Fault, us: number): boolean {
  return us >= atUs && us < atUs + forUs;
}

/** Whether it is a fault of this domain's sensor. */
export function concerns(fault: Fault, domain: string): boolean {
  return fault.domain === undefined || fault.domain === domain;
}
