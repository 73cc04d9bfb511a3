import type { Fault, FaultShares } from './fault.js';

/** What a simulated machine is. Plain data that can be cloned. */
export interface MachineSpec {
  /** Machines with the same seed, and the same other settings, are the same. */
  readonly seed: number;
  readonly sockets: number;
  readonly cpusPerSocket: number;
  readonly gpus: number;
  /** How many processes are there from the beginning to the end. */
  readonly processes: number;
  /** How many processes are born a second, on average, that live for a millisecond to 8 seconds. */
  readonly arrivalsPerSecond: number;
  /** How much programs differ in joules per CPU second: 0, all need the same, to 1. */
  readonly spread: number;
  /** Time between two refreshes of a sensor, in microseconds. */
  readonly refreshUs: number;
  /** By which share of that time refreshes come late, 0 to 1, by chance. */
  readonly jitter: number;
  /** How long the machine knows of a process that ended, in microseconds of simulated time. */
  readonly rememberUs: number;
  readonly faults: readonly Fault[];
  readonly faultShares: FaultShares;
}

const standard: MachineSpec = {
  seed: 1,
  sockets: 2,
  cpusPerSocket: 8,
  gpus: 1,
  processes: 12,
  arrivalsPerSecond: 4,
  spread: 1,
  refreshUs: 1000,
  jitter: 0,
  rememberUs: 60_000_000,
  faults: [],
  faultShares: { torn: 0, failed: 0, empty: 0 },
};

/** A machine with two sockets, eight CPUs each, a GPU, a dozen processes and no faults, but for what is said. */
export function createSpec(wanted: Partial<MachineSpec> = {}): MachineSpec {
  return { ...standard, ...wanted };
}
