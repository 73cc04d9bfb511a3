import type { Fault, FaultShares } from './fault.js';
import { Random } from './random.js';

/** The specification of a simulated machine. Plain data that can be cloned. */
export interface MachineSpec {
  /** Machines with the same seed and the same other settings are identical. */
  readonly seed: number;
  readonly sockets: number;
  readonly cpusPerSocket: number;
  readonly gpus: number;
  /** Number of permanent processes. */
  readonly processes: number;
  /** Mean number of processes started per second, with lifetimes of 1 ms to 8 s. */
  readonly arrivalsPerSecond: number;
  /** How much programs differ in joules per CPU second: 0: not at all; maximum 1. */
  readonly spread: number;
  /** How much more a CPU second costs on the last socket than on the first: 0: the same; 1: twice as much. */
  readonly socketSpread: number;
  /**
   * How much programs differ in memory traffic per CPU second, and memory in power accordingly: 0: not at all;
   * 1: by a factor of 16.
   */
  readonly memorySpread: number;
  /**
   * How much programs differ in frequency, and packages in power accordingly: 0: all at the maximum; 1: down to
   * a quarter of it.
   */
  readonly frequencySpread: number;
  /** Time between two refreshes of a sensor, in microseconds. */
  readonly refreshUs: number;
  /** Maximum random delay of a refresh, as a fraction of that time, 0 to 1. */
  readonly jitter: number;
  /** How long the machine remembers ended processes, in microseconds of simulated time. */
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
  socketSpread: 0,
  memorySpread: 0,
  frequencySpread: 0,
  refreshUs: 1000,
  jitter: 0,
  rememberUs: 60_000_000,
  faults: [],
  faultShares: { torn: 0, failed: 0, empty: 0 },
};

/** A machine with two sockets of eight CPUs, a GPU, a dozen processes and no faults, unless overridden. */
export function createSpec(wanted: Partial<MachineSpec> = {}): MachineSpec {
  return { ...standard, ...wanted };
}

export type DomainKind = 'package' | 'dram' | 'core' | 'uncore' | 'psys' | 'gpu';

/** A physical domain with a sensor. */
export interface SimulatedDomain {
  /** `package-0`, `dram-1`, `psys`, `gpu-0`. */
  readonly name: string;
  readonly kind: DomainKind;
  /** The number of the socket or GPU; 0 for psys. */
  readonly place: number;
  /** Its idle power. */
  readonly floorMilliwatts: number;
  /** Nanojoules per count of its sensor. */
  readonly unitNj: number;
}

// 2^-14 J in the kernel: drivers/powercap/intel_rapl_common.c counts whole nanojoules. A simulated machine has
// exactly this unit.
const raplUnitNj = 61_035;
// NVML counts millijoules.
const gpuUnitNj = 1_000_000;

/** The domains of a machine, in powercap's order; GPUs last. */
export function createDomains({ seed, sockets, gpus }: MachineSpec): readonly SimulatedDomain[] {
  const random = new Random(seed, 1);
  const packages = Array.from({ length: sockets }, (_, place) => createSocket(place, random)).flat();
  const inside = packages
    .filter(({ kind }) => kind === 'package' || kind === 'dram')
    .reduce((sum, { floorMilliwatts }) => sum + floorMilliwatts, 0);
  const platform = inside + random.integer(8_000, 20_000);
  return [
    ...packages,
    { name: 'psys', kind: 'psys', place: 0, floorMilliwatts: platform, unitNj: raplUnitNj },
    ...Array.from({ length: gpus }, (_, place): SimulatedDomain => {
      const floorMilliwatts = random.integer(20_000, 45_000);
      return { name: `gpu-${place}`, kind: 'gpu', place, floorMilliwatts, unitNj: gpuUnitNj };
    }),
  ];
}

function createSocket(place: number, random: Random): SimulatedDomain[] {
  const core = random.integer(2_000, 6_000);
  const uncore = random.integer(300, 1_500);
  const floors = {
    package: core + uncore + random.integer(12_000, 25_000),
    core,
    uncore,
    dram: random.integer(2_000, 6_000),
  };
  return (['package', 'core', 'uncore', 'dram'] as const).map((kind) => ({
    name: `${kind}-${place}`,
    kind,
    place,
    floorMilliwatts: floors[kind],
    unitNj: raplUnitNj,
  }));
}
