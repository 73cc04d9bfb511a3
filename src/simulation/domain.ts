import type { MachineSpec } from './machine-spec.js';
import { Random } from './random.js';

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
