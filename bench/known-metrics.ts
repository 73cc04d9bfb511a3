/** A metric of an agent on its page for Prometheus. */
interface Known {
  readonly name: string;
  /** Factor that converts to joules or watts. */
  readonly scale: number;
  /** Labels that a sample must have. */
  readonly labels: Readonly<Record<string, string>>;
}

interface KnownOfProcess extends Known {
  /** The label that holds the pid. */
  readonly pid: string;
  /** The metric is in watts, not joules. */
  readonly isPower: boolean;
}

/** Energy of the whole machine according to the meter, as named by known agents. */
const ofMachine: readonly Known[] = [
  { name: 'hw_energy_joules_total', scale: 1, labels: {} },
  { name: 'kepler_node_cpu_joules_total', scale: 1, labels: { zone: 'package' } },
  { name: 'node_rapl_package_joules_total', scale: 1, labels: {} },
  { name: 'scaph_host_energy_microjoules', scale: 1e-6, labels: {} },
];

/** Energy charged to a process. */
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

/** Joules of the whole machine on a page; undefined: the page has no known metric of it. */
export function findMachineJoules(page: string): number | undefined {
  return firstSum(page, ofMachine, ({ labels }) => labels)?.sum;
}

/** Energy charged to a process on a page. */
export type Charge = { readonly joules: number } | { readonly watts: number };

/** @returns undefined when the page has no known metric of processes, or none of this process */
export function findCharge(page: string, pid: number): Charge | undefined {
  const found = firstSum(page, ofProcess, (known) => ({ ...known.labels, [known.pid]: String(pid) }));
  if (found === undefined) return undefined;
  return found.known.isPower ? { watts: found.sum } : { joules: found.sum };
}

/** Missed ticks, scrapes or samples, summed over all counters of a page; undefined: the page has no such counter. */
export function findMissed(page: string): number | undefined {
  const values = parsePage(page).flatMap(({ name, value }) => (/missed.*_total$/u.test(name) ? [value] : []));
  return values.length === 0 ? undefined : sumOf(values);
}

/** Our own agent only: the maximum time for which the main thread was blocked since the page was last read. */
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

/** The samples of a page, in the classic format or in OpenMetrics. */
function parsePage(page: string): readonly Sample[] {
  return page.split('\n').flatMap((line) => {
    const { name, labels = '', value } = sampleLine.exec(line)?.groups ?? {};
    return name === undefined ? [] : [{ name, labels, value: Number(value) }];
  });
}
