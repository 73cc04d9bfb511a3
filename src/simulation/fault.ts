import { parseDuration } from '../config/formats.js';
import { UsageError } from '../errors.js';
import { findNearest } from '../nearest.js';

/**
 * The kinds of faults. Of a sensor: wrap (it wraps at that instant), reset (it restarts at 0), torn (a read
 * returns only the first digits), failed (a read fails), empty (a read returns nothing), slow (it refreshes
 * every `forUs` or 5 s), dead (it does not change), hotplug (it is gone and comes back). Of the machine:
 * suspend (nothing runs), offline (a CPU goes offline and comes back).
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

/** A scheduled fault. */
export interface Fault {
  readonly kind: FaultKind;
  /** Simulated time of its start, in microseconds. */
  readonly atUs: number;
  /** Its duration in microseconds; ignored for wrap and reset. */
  readonly forUs: number;
  /** The domain of the affected sensor, for example `package-0`; undefined: every sensor. */
  readonly domain?: string | undefined;
  /** The CPU that goes offline; default 1. */
  readonly cpu?: number | undefined;
}

/** Random read faults: the share of all reads that have them, 0 to 1. */
export interface FaultShares {
  readonly torn: number;
  readonly failed: number;
  readonly empty: number;
}

/** The kind of a read fault. */
export type ReadFault = keyof FaultShares;

/** Whether a fault is active at an instant. */
export function isActive({ atUs, forUs }: Fault, us: number): boolean {
  return us >= atUs && us < atUs + forUs;
}

/** Whether a fault affects this domain's sensor. */
export function concerns(fault: Fault, domain: string): boolean {
  return fault.domain === undefined || fault.domain === domain;
}

const standardForMs = 1000;

/**
 * Parses `KIND@AT[+FOR][:DOMAIN]`, for example `torn@10s+500ms:package-0`; for `offline`, the number of a CPU
 * replaces the domain.
 * @param domains valid names of domains
 * @param cpus number of CPUs
 * @throws UsageError
 */
export function parseFault(text: string, domains: readonly string[], cpus: number): Fault {
  const match = /^([a-z]+)@([^+:]+)(?:\+([^:]+))?(?::(.+))?$/u.exec(text);
  if (match === null) throw wrong(text, 'expected KIND@AT[+FOR][:DOMAIN], say torn@10s+500ms:package-0');
  const [, name = '', at = '', duration, place] = match;
  const kind = faultKinds.find((each) => each === name);
  if (kind === undefined) throw wrong(text, explainKind(name));
  const atMs = parseDuration(at);
  const forMs = duration === undefined ? standardForMs : parseDuration(duration);
  if (atMs === undefined || forMs === undefined) throw wrong(text, 'expected durations such as 10s or 500ms');
  const times = { kind, atUs: Math.round(atMs * 1000), forUs: Math.round(forMs * 1000) };
  if (place === undefined) return times;
  if (kind === 'offline') return { ...times, cpu: parseCpu(text, place, cpus) };
  if (!domains.includes(place))
    throw wrong(text, `expected one of the domains ${domains.join(', ')}, found "${place}"`);
  return { ...times, domain: place };
}

function parseCpu(text: string, place: string, cpus: number): number {
  const cpu = /^\d+$/u.test(place) ? Number(place) : Infinity;
  if (cpu < cpus) return cpu;
  throw wrong(text, `expected the number of a CPU, 0 to ${cpus - 1}, found "${place}"`);
}

function explainKind(name: string): string {
  const nearest = findNearest(name, faultKinds);
  const found = `expected one of the faults ${faultKinds.join(', ')}, found "${name}"`;
  return nearest === undefined ? found : `${found}; did you mean "${nearest}"?`;
}

function wrong(text: string, why: string): UsageError {
  return new UsageError(`Cannot use --fault ${text}: ${why}`);
}
