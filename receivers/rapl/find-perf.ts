import { join } from 'node:path';
import { findInteger, findText } from '../../src/linux/sysfs.js';
import { findCpuPlace, isAmd, parseCpuList } from '../../src/linux/topology.js';
import type { CpuPlace } from '../../src/linux/topology.js';
import { keepFirst } from './domain.js';
import type { Domain, DomainKind } from './domain.js';

/** A counter of the kernel's `power` PMU: 64 bits, counted on without end. */
export interface PerfCounter {
  readonly domain: Domain;
  /** For messages: `energy-pkg`. */
  readonly event: string;
  readonly type: number;
  readonly config: number;
  /** The CPU that reads for the package or die. */
  readonly cpu: number;
  /** Joules of one count. */
  readonly scale: number;
}

interface PerfEnergyEvent {
  readonly kind: DomainKind;
  readonly event: string;
  readonly config: number;
  readonly scale: number;
}

// The kernel's names of events (arch/x86/events/rapl.c). The counters of single AMD cores are those of another
// PMU, power_core, and are not read: a core's energy is no PP0.
const kinds = {
  'energy-pkg': 'package',
  'energy-ram': 'dram',
  'energy-cores': 'core',
  'energy-gpu': 'uncore',
  'energy-psys': 'psys',
} as const satisfies Readonly<Record<string, DomainKind>>;

/** The folder of the PMU whose events are energies. */
export function perfFolder(sysfs: string): string {
  return join(sysfs, 'bus/event_source/devices/power');
}

/** The energy counters of the `power` PMU. A PMU that is here may still have none, as on virtual machines. */
export function findPerfCounters(sysfs: string): readonly PerfCounter[] {
  const folder = perfFolder(sysfs);
  const type = findInteger(join(folder, 'type'));
  if (type === undefined) return [];
  const leads = findLeads(sysfs, parseCpuList(findText(join(folder, 'cpumask')) ?? '0'));
  const events = findEvents(join(folder, 'events'));
  // psys, the whole machine, comes once, whichever CPU reads it.
  return keepFirst(events.flatMap((event) => leads.map((lead) => createCounter(type, event, lead))));
}

function createCounter(type: number, { kind, ...event }: PerfEnergyEvent, { cpu, place }: Lead): PerfCounter {
  return { ...event, type, cpu, domain: { kind, ...place } };
}

function findEvents(folder: string): readonly PerfEnergyEvent[] {
  return Object.entries(kinds).flatMap(([event, kind]) => {
    const config = parseConfig(findText(join(folder, event)));
    const scale = Number(findText(join(folder, `${event}.scale`)));
    const isJoules = findText(join(folder, `${event}.unit`)) === 'Joules';
    return config !== undefined && isJoules && scale > 0 ? [{ kind, event, config, scale }] : [];
  });
}

/** The number in `event=0x02`; the PMU has no other field. */
function parseConfig(text: string | undefined): number | undefined {
  const number = /^event=(0x[0-9a-f]+|\d+)$/i.exec(text ?? '')?.[1];
  return number === undefined ? undefined : Number(number);
}

interface Lead {
  readonly cpu: number;
  readonly place: Pick<Domain, 'package' | 'die'>;
}

/** One CPU per package, or per die where the kernel names several in a package. */
function findLeads(sysfs: string, cpus: readonly number[]): readonly Lead[] {
  // AMD's counter is that of the package. Older kernels offer it once per die: reading all counts it n times.
  const byDie = !isAmd(sysfs);
  const places = cpus.map((cpu, i) => findCpuPlace(sysfs, cpu) ?? { package: i, die: 0 });
  return cpus.map((cpu, i) => ({
    cpu,
    place: byDie ? findLeadPlace(places, i) : { package: places[i].package },
  }));
}

/** The package; the die, too, where others of the package have a CPU in the list. */
function findLeadPlace(places: readonly CpuPlace[], i: number): Lead['place'] {
  const own = places[i];
  const dies = new Set(places.filter((other) => other.package === own.package).map(({ die }) => die));
  return dies.size > 1 ? own : { package: own.package };
}
