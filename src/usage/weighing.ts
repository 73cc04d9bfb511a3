/**
 * The weight by which one window was shared: the default of its hardware (time), or counts that replace it.
 * Each weight has separate accounts.
 */
export const byTime = 0;
export const byEvents = 1;
export const byFrequency = 2;
export const byBandwidth = 3;
export const byMisses = 4;
export type Weight =
  typeof byTime | typeof byEvents | typeof byFrequency | typeof byBandwidth | typeof byMisses;
export const weights: readonly Weight[] = [byTime, byEvents, byFrequency, byBandwidth, byMisses];

/** The `energy.attribution.model` of each; for time it depends on the hardware. */
export const weightNames: Readonly<Record<Exclude<Weight, typeof byTime>, string>> = {
  [byEvents]: 'counters',
  [byFrequency]: 'frequency_cpu_time',
  [byBandwidth]: 'memory_bandwidth',
  [byMisses]: 'cache_misses',
};

/** A weight that replaces CPU time between two boundaries. Integers. */
export interface Weighing {
  readonly weight: Weight;
  /** Of known and unknown workloads. */
  readonly whole: number;
  /** Of each workload of the usage. */
  readonly parts: readonly number[];
  /** The part of the whole that was counted for several workloads together and is divided among them by CPU time. */
  readonly byTime: number;
}

/** The same for one package, or for the only one. */
export interface PackageWeighing extends Weighing {
  /** The kernel's package number; undefined: the packages are not known. */
  readonly number: number | undefined;
}

/** The possible weights of a machine, where they were counted. */
export interface Weighings {
  readonly frequency?: readonly PackageWeighing[] | undefined;
  readonly memory?: readonly PackageWeighing[] | undefined;
}

/** The weight of a package; that of the machine where it is not known by package. */
export function weighingOn(
  packages: readonly PackageWeighing[] | undefined,
  number: number | undefined,
): Weighing | undefined {
  if (packages === undefined) return undefined;
  return packages.find((one) => one.number === number && number !== undefined) ?? sumWeighings(packages);
}

/** The sum over packages, for the same workloads. */
function sumWeighings(packages: readonly PackageWeighing[]): Weighing | undefined {
  const [first] = packages;
  if (first === undefined || packages.length === 1) return first;
  return {
    weight: first.weight,
    whole: packages.reduce((sum, { whole }) => sum + whole, 0),
    parts: first.parts.map((_, i) => packages.reduce((sum, { parts }) => sum + parts[i], 0)),
    byTime: packages.reduce((sum, one) => sum + one.byTime, 0),
  };
}

/**
 * Cycles as CPU time weighted by a power of the frequency at which it ran: t (cycles / t)^gamma. The frequency
 * of a workload is assumed to be constant, and so is that of the usage without a workload.
 */
export function raiseFrequency(
  cycles: Weighing,
  { busyNs, cpuNs }: { readonly busyNs: number; readonly cpuNs: readonly number[] },
  gamma: number,
): Weighing {
  if (gamma === 1 || cycles.whole === 0) return cycles;
  const raise = (count: number, ns: number) =>
    count > 0 && ns > 0 ? Math.round(1000 * ns * (count / ns) ** gamma) : 0;
  let [seen, seenNs] = [0, 0];
  for (let i = 0; i < cpuNs.length; i++) {
    seen += cycles.parts[i];
    seenNs += cpuNs[i];
  }
  const parts = cycles.parts.map((count, i) => raise(count, cpuNs[i]));
  const rest = raise(Math.max(0, cycles.whole - seen), Math.max(0, busyNs - seenNs));
  const whole = parts.reduce((sum, part) => sum + part, rest);
  return { ...cycles, parts, whole, byTime: Math.round((cycles.byTime * whole) / cycles.whole) };
}
