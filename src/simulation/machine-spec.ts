import type { Fault, FaultShares } from './fault.js';
import { Random } from './random.js';

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
  /** How much more a CPU second costs on the last socket than on the first: 0, as much, to 1, twice as much. */
  readonly socketSpread: number;
  /** How much programs differ in the bytes that they move for each CPU second, and memory uses as much: 0, all move as much, to 1, by 16. */
  readonly memorySpread: number;
  /** How much they differ in frequency, and packages use as much: 0, all run at the highest one, to 1, from a fourth of it on. */
  readonly frequencySpread: number;
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
  socketSpread: 0,
  memorySpread: 0,
  frequencySpread: 0,
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

export type DomainKind = 'package' | 'dram' | 'core' | 'uncore' | 'psys' | 'gpu';

/** A physical domain with a sensor. */
export interface SimulatedDomain {
  /** `package-0`, `dram-1`, `psys`, `gpu-0`. */
  readonly name: string;
  readonly kind: DomainKind;
  /** The socket, or the GPU's number; 0 for psys. */
  readonly place: number;
  /** What it draws when nothing runs. */
  readonly floorMilliwatts: number;
  /** Nanojoules of one count of its sensor. */
  readonly unitNj: number;
}

// 2^-14 J, as the kernel has it: drivers/powercap/intel_rapl_common.c counts in whole nanojoules. A simulated
// machine has exactly this unit.
const raplUnitNj = 61_035;
// NVML counts millijoules.
const gpuUnitNj = 1_000_000;

/** The domains of a machine, in the order in which powercap numbers them; GPUs last. */
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
