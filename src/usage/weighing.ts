/**
 * By what one window was shared: by time, as its hardware is in general, or by what was counted in its place. Each has
 * accounts of its own.
 */
export const byTime = 0;
export const byEvents = 1;
export const byFrequency = 2;
export const byBandwidth = 3;
export const byMisses = 4;
export type Weight =
  typeof byTime | typeof byEvents | typeof byFrequency | typeof byBandwidth | typeof byMisses;
export const weights: readonly Weight[] = [byTime, byEvents, byFrequency, byBandwidth, byMisses];

/** The `energy.attribution.model` of each; that of time depends on the hardware. */
export const weightNames: Readonly<Record<Exclude<Weight, typeof byTime>, string>> = {
  [byEvents]: 'counters',
  [byFrequency]: 'frequency_cpu_time',
  [byBandwidth]: 'memory_bandwidth',
  [byMisses]: 'cache_misses',
};

/** What takes the place of CPU time between two boundaries. Whole numbers. */
export interface Weighing {
  readonly weight: Weight;
  /** That of known and unknown workloads. */
  readonly whole: number;
  /** What each workload of the usage has of it. */
  readonly parts: readonly number[];
  /** What of the whole was counted of several workloads together, which have it by CPU time. */
  readonly byTime: number;
}

/** The same of one package, or of the only one. */
export interface PackageWeighing extends Weighing {
  /** The kernel's number of it; undefined: the packages are not known. */
  readonly number: number | undefined;
}

/** What the weights of a machine can be, where they were counted. */
export interface Weighings {
  readonly frequency?: readonly PackageWeighing[] | undefined;
  readonly memory?: readonly PackageWeighing[] | undefined;
}

/** That of a package; that of all where it is not known by package. */
export function weighingOn(
  packages: readonly PackageWeighing[] | undefined,
  number: number | undefined,
): Weighing | undefined {
  if (packages === undefined) return undefined;
  return packages.find((one) => one.number === number && number !== undefined) ?? sumWeighings(packages);
}

/** One over all these, of the same workloads. */
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
 * Cycles as CPU time that is weighed by a power of the frequency at which it ran: t (cycles / t)^gamma. The frequency of
 * a workload is taken to be the same all the time, and so is that of what no workload used.
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
