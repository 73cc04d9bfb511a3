/** A metric of some agent, on its page for Prometheus. */
interface Known {
  readonly name: string;
  /** What to multiply with for joules, or watts. */
  readonly scale: number;
  /** Labels that a sample must have. */
  readonly labels: Readonly<Record<string, string>>;
}

interface KnownOfProcess extends Known {
  /** The label that holds the pid. */
  readonly pid: string;
  /** Watts rather than joules. */
  readonly isPower: boolean;
}

/** What the meter of the whole machine has counted, by agents that are known. */
const ofMachine: readonly Known[] = [
  { name: 'hw_energy_joules_total', scale: 1, labels: {} },
  { name: 'kepler_node_cpu_joules_total', scale: 1, labels: { zone: 'package' } },
  { name: 'node_rapl_package_joules_total', scale: 1, labels: {} },
  { name: 'scaph_host_energy_microjoules', scale: 1e-6, labels: {} },
];

/** What is charged to a process. */
const ofProcess: readonly KnownOfProcess[] = [
  { name: 'process_energy_joules_total', scale: 1, labels: {}, pid: 'process_pid', isPower: false },
  {
    name: 'kepler_process_cpu_joules_total',
    scale: 1,
    labels: { zone: 'package' },
    pid: 'pid',
    isPower: false,
  },
  {
    name: 'scaph_process_power_consumption_microwatts',
    scale: 1e-6,
    labels: {},
    pid: 'pid',
    isPower: true,
  },
];

/** Joules of the whole machine on a page; undefined: it has none that is known. */
export function findMachineJoules(page: string): number | undefined {
  return firstSum(page, ofMachine, ({ labels }) => labels)?.sum;
}

/** What a page charges to a process. */
export type Charge = { readonly joules: number } | { readonly watts: number };

/** @returns undefined when no metric of a process is known, or the process has none */
export function findCharge(page: string, pid: number): Charge | undefined {
  const found = firstSum(page, ofProcess, (known) => ({ ...known.labels, [known.pid]: String(pid) }));
  if (found === undefined) return undefined;
  return found.known.isPower ? { watts: found.sum } : { joules: found.sum };
}

/** Ticks, scrapes or samples that were missed, all counters of a page together; undefined: it counts none. */
export function findMissed(page: string): number | undefined {
  const values = parsePage(page).flatMap(({ name, value }) => (/missed.*_total$/u.test(name) ? [value] : []));
  return values.length === 0 ? undefined : sumOf(values);
}

/** Our own: the longest time that the main thread was held since the page was last read. */
export function findLongestSliceMs(page: string): number | undefined {
  const slice = parsePage(page).find(({ name }) => name === 'joulemetry_main_thread_longest_slice_seconds');
  return slice && slice.value * 1000;
}

function firstSum<Kind extends Known>(
  page: string,
  metrics: readonly Kind[],
  labelsOf: (known: Kind) => Readonly<Record<string, string>>,
) {
  const samples = parsePage(page);
  for (const known of metrics) {
    const wanted = labelsOf(known);
    const values = samples.flatMap(({ name, labels, value }) =>
      name === known.name && hasLabels(labels, wanted) ? [value] : [],
    );
    if (values.length > 0) return { known, sum: sumOf(values) * known.scale };
  }
  return undefined;
}

function hasLabels(labels: string, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => `,${labels},`.includes(`,${name}="${value}",`));
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

interface Sample {
  readonly name: string;
  readonly labels: string;
  readonly value: number;
}

const sampleLine = /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? (?<value>\S+)/u;

/** The samples of a page, in the classic format or as OpenMetrics. */
function parsePage(page: string): readonly Sample[] {
  return page.split('\n').flatMap((line) => {
    const { name, labels = '', value } = sampleLine.exec(line)?.groups ?? {};
    return name === undefined ? [] : [{ name, labels, value: Number(value) }];
  });
}
