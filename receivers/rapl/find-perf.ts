import { join } from 'node:path';
import { elementAt } from '../../src/element.js';
import { parseEvent } from '../../src/linux/perf/format.js';
import { findInteger, findNames, findText } from '../../src/linux/sysfs.js';
import { findCpuPlace, isAmd, parseCpuList, type CpuPlace } from '../../src/linux/topology.js';
import { keepFirst, maxWatts, nameDomain, type Domain, type DomainKind } from './domain.js';

/** A counter of the kernel: 64 bits that never wrap. */
export interface PerfCounter {
  readonly domain: Domain;
  /** For messages: `energy-pkg`. */
  readonly event: string;
  readonly type: number;
  readonly config: number | bigint;
  /** The CPU that reads for the package or die. */
  readonly cpu: number;
  /** The CPUs of a domain that is a sum: one per core. */
  readonly cpus?: readonly number[];
  /** Joules per count. */
  readonly scale: number;
  /** More than the domain can draw. */
  readonly maxWatts: number;
}

interface PerfEnergyEvent {
  readonly kind: DomainKind;
  readonly event: string;
  readonly config: number | bigint;
  readonly scale: number;
}

/** A PMU's folder and the domains of its events: the kernel's names (arch/x86/events/rapl.c). */
interface EnergyPmu {
  readonly name: string;
  readonly kinds: Readonly<Record<string, DomainKind>>;
}

const packagePmu: EnergyPmu = {
  name: 'power',
  kinds: {
    'energy-pkg': 'package',
    'energy-ram': 'dram',
    'energy-cores': 'core',
    'energy-gpu': 'uncore',
    'energy-psys': 'psys',
  },
};

// AMD has packages only. Kernels before 5.17 also offer the other events there, which count nothing.
const amdPackagePmu: EnergyPmu = { name: 'power', kinds: { 'energy-pkg': 'package' } };

// Since 6.10: one counter per AMD core, all of which are summed. A single one is not PP0.
const corePmu: EnergyPmu = { name: 'power_core', kinds: { 'energy-core': 'core' } };

/** The folder of the PMU with energy events. */
export function perfFolder(sysfs: string): string {
  return join(sysfs, 'bus/event_source/devices/power');
}

/** The energy counters of perf_event. The PMU may exist without any, as on virtual machines. */
export function findPerfCounters(sysfs: string): readonly PerfCounter[] {
  const amd = isAmd(sysfs);
  const counters = findCounters(sysfs, amd ? amdPackagePmu : packagePmu, amd);
  // psys, the whole machine, is listed once, whichever CPU reads it.
  return [...keepFirst(counters), ...(amd ? sumCores(findCounters(sysfs, corePmu, amd)) : [])];
}

function findCounters(sysfs: string, pmu: EnergyPmu, amd: boolean): readonly PerfCounter[] {
  const folder = join(sysfs, 'bus/event_source/devices', pmu.name);
  const type = findInteger(join(folder, 'type'));
  if (type === undefined) return [];
  const leads = findLeads(sysfs, parseCpuList(findText(join(folder, 'cpumask')) ?? '0'), amd);
  return findEvents(folder, pmu).flatMap((event) => leads.map((lead) => createCounter(type, event, lead)));
}

function createCounter(type: number, { kind, ...event }: PerfEnergyEvent, { cpu, place }: Lead): PerfCounter {
  const domain = kind === 'psys' ? { kind, package: 0 } : { kind, ...place };
  return { ...event, type, cpu, domain, maxWatts: maxWatts[kind] };
}

/** One counter per package, read on all of its cores. */
function sumCores(counters: readonly PerfCounter[]): readonly PerfCounter[] {
  return keepFirst(counters).map((first) => addCores(first, counters));
}

function addCores(first: PerfCounter, counters: readonly PerfCounter[]): PerfCounter {
  const name = nameDomain(first.domain);
  const cores = counters.filter(({ domain }) => nameDomain(domain) === name);
  return { ...first, cpus: cores.map(({ cpu }) => cpu) };
}

function findEvents(folder: string, { kinds }: EnergyPmu): readonly PerfEnergyEvent[] {
  const formats = readFormats(folder);
  return Object.entries(kinds).flatMap(([event, kind]) => {
    const path = join(folder, 'events', event);
    const config = parseEvent(findText(path) ?? '', formats);
    const scale = Number(findText(`${path}.scale`));
    const isJoules = findText(`${path}.unit`) === 'Joules';
    return config !== undefined && isJoules && scale > 0 ? [{ kind, event, config, scale }] : [];
  });
}

function readFormats(folder: string): Readonly<Record<string, string>> {
  const path = join(folder, 'format');
  return Object.fromEntries(findNames(path).map((name) => [name, findText(join(path, name)) ?? '']));
}

interface Lead {
  readonly cpu: number;
  readonly place: Pick<Domain, 'package' | 'die'>;
}

/** One CPU per package, or per die if the kernel names several in a package; for AMD's cores, one per core. */
function findLeads(sysfs: string, cpus: readonly number[], amd: boolean): readonly Lead[] {
  const places = cpus.map((cpu, i) => findCpuPlace(sysfs, cpu) ?? { package: i, die: 0 });
  return places.map((place, i) => ({
    cpu: elementAt(cpus, i),
    // AMD's counter is that of the package. Older kernels offer it once per die: reading all would count it n
    // times.
    place: amd ? { package: place.package } : findLeadPlace(places, place),
  }));
}

/** The package, and the die if other dies of the package have a CPU in the list. */
function findLeadPlace(places: readonly CpuPlace[], own: CpuPlace): Lead['place'] {
  const dies = new Set(places.filter((other) => other.package === own.package).map(({ die }) => die));
  return dies.size > 1 ? own : { package: own.package };
}
