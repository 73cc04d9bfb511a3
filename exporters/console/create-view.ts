import {
  ATTR_CONTAINER_ID,
  ATTR_CONTAINER_NAME,
  ATTR_CPU_MODE,
  ATTR_ENERGY_METHOD,
  ATTR_FLUX_JOB_ID,
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_TYPE,
  ATTR_K8S_NAMESPACE_NAME,
  ATTR_K8S_POD_NAME,
  ATTR_K8S_POD_UID,
  ATTR_OAR_JOB_ID,
  ATTR_PBS_JOB_ID,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_OWNER,
  ATTR_PROCESS_PID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_NAMESPACE,
  ATTR_SLURM_JOB_ID,
  ATTR_SLURM_JOB_NAME,
  ATTR_SLURM_JOB_USER,
  ATTR_SYSTEMD_UNIT,
} from '../../src/model/semantic-conventions.js';
import type { Attributes, Resource } from '../../src/model/series.js';
import { partOf, type Listed, type Readings, type Role } from './readings.js';
import type { DomainView, PartView, ProcessView, Use, View } from './view.js';

/** Options of a look. */
export interface LookOptions {
  /** Seconds since the collector began. */
  readonly elapsed: number;
  /** CPUs of this machine. */
  readonly cpuCount: number;
  /** Maximum number of processes. */
  readonly top: number;
}

const partNames = ['attributed', 'idle', 'unattributed'];
const idleModes = new Set(['idle', 'iowait', 'steal']);

/** What a summary shows now. Rates are means since the last look. */
export function createView(readings: Readings, { elapsed, cpuCount, top }: LookOptions): View {
  readings.look();
  const busy = lookAtBusyCpus(readings);
  const parts = partNames.flatMap((part) => lookAtPart(readings, part));
  const groups = lookAtGroups(readings);
  const attributed = parts.find(({ part }) => part === 'attributed') ?? lookAtCharged(readings);
  return {
    elapsed,
    domains: lookAtDomains(readings),
    joules: sumJoules(readings, readings.energyRole),
    parts,
    cpu: { busy, count: countCpus(readings, busy, cpuCount) },
    listed: groups.length > 0 ? readings.listed : 'process',
    processes: (groups.length > 0 ? groups : lookAtProcesses(readings)).slice(0, top),
    all: {
      watts: attributed.watts,
      joules: attributed.joules,
      cpus: groups.length > 0 ? NaN : busy,
    },
  };
}

/** The energy charged to processes, for recordings without the ledger's totals. */
function lookAtCharged(readings: Readings): Pick<Use, 'watts' | 'joules'> {
  const watts = sum(readings.list('processEnergy').map(([, { rate }]) => rate));
  return { watts, joules: sumJoules(readings, 'processEnergy') };
}

function sumJoules(readings: Readings, role: Role): number {
  return sum([...readings.list(role).map(([, { value }]) => value), readings.sumEnded(role)]);
}

function lookAtDomains(readings: Readings): readonly DomainView[] {
  const role = readings.energyRole;
  const domains = readings.list(role).map(([series, counter]) => ({
    name: String(series.attributes[ATTR_HW_NAME] ?? series.attributes[ATTR_HW_ID] ?? ''),
    type: String(series.attributes[ATTR_HW_TYPE] ?? ''),
    watts: counter.rate,
    // A counter that was reset continues here.
    joules: counter.value + readings.sumEnded(role, partOf(series)),
    isEstimated: series.attributes[ATTR_ENERGY_METHOD] === 'estimated',
  }));
  return domains.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function lookAtPart(readings: Readings, part: string): readonly PartView[] {
  const counters = readings.list('part').filter(([series]) => partOf(series) === part);
  if (counters.length === 0) return [];
  const watts = sum(counters.map(([, { rate }]) => rate));
  const joules = sum([...counters.map(([, { value }]) => value), readings.sumEnded('part', part)]);
  return [{ part, watts, joules }];
}

/** Number of busy CPUs, from the exact counter where there is one. */
function lookAtBusyCpus(readings: Readings): number {
  const exact = sum(readings.list('busy').map(([, { rate }]) => rate));
  const byMode = readings
    .list('cpu')
    .filter(([{ attributes }]) => !idleModes.has(String(attributes[ATTR_CPU_MODE])))
    .map(([, { rate }]) => rate);
  return Number.isNaN(exact) ? sum(byMode) : exact;
}

/**
 * Number of CPUs; NaN where it is not reported and the readings cannot be those of this machine, because they
 * are replayed or simulated.
 */
function countCpus(readings: Readings, busy: number, own: number): number {
  const [counted = NaN] = readings.list('cpuCount').map(([, { value }]) => value);
  // Clock errors never amount to a tenth of the CPUs.
  return counted > 0 ? counted : busy > own * 1.1 ? NaN : own;
}

/** Groups that use most first. `other` is part of the rest. */
function lookAtGroups(readings: Readings): readonly ProcessView[] {
  const groups = new Map<Resource, ProcessView>();
  for (const [{ resource }, { rate, value }] of readings.list('groupEnergy')) {
    const name = nameGroup(resource.attributes, readings.listed);
    if (name === 'other') continue;
    const known = groups.get(resource) ?? { name, pid: '', watts: NaN, joules: NaN, cpus: NaN };
    groups.set(resource, {
      ...known,
      watts: sum([known.watts, rate]),
      joules: sum([known.joules, value]),
    });
  }
  return [...groups.values()].filter(({ watts }) => watts > 0).toSorted(compareUse);
}

/** The attributes that name a group for people; the first attribute of each entry that exists. */
const groupNames: Readonly<Record<Listed, readonly (readonly string[])[]>> = {
  process: [],
  program: [
    [ATTR_PROCESS_EXECUTABLE_NAME],
    [ATTR_CONTAINER_NAME, ATTR_K8S_POD_NAME, ATTR_SYSTEMD_UNIT, ATTR_CONTAINER_ID],
  ],
  unit: [[ATTR_SYSTEMD_UNIT], [ATTR_CONTAINER_NAME]],
  container: [[ATTR_CONTAINER_NAME, ATTR_CONTAINER_ID], [ATTR_K8S_POD_NAME]],
  pod: [[ATTR_K8S_POD_NAME, ATTR_K8S_POD_UID], [ATTR_K8S_NAMESPACE_NAME]],
  job: [
    [ATTR_SLURM_JOB_ID, ATTR_OAR_JOB_ID, ATTR_PBS_JOB_ID, ATTR_FLUX_JOB_ID],
    [ATTR_SLURM_JOB_NAME],
    [ATTR_SLURM_JOB_USER],
  ],
  user: [[ATTR_PROCESS_OWNER]],
  service: [[ATTR_SERVICE_NAME], [ATTR_SERVICE_NAMESPACE]],
};

function nameGroup(attributes: Attributes, listed: Listed): string {
  const parts = groupNames[listed].flatMap((names) => {
    const found = names.find((name) => attributes[name] !== undefined);
    return found === undefined ? [] : [String(attributes[found])];
  });
  const [name = '', ...where] = parts;
  return where.length === 0 ? name : `${name} (${where.join(', ')})`;
}

/**
 * Processes that use most first, without those that use nothing and without those that have no pid, which are
 * sums of several.
 */
function lookAtProcesses(readings: Readings): readonly ProcessView[] {
  const processes = new Map<Resource, ProcessView>();
  const add = (resource: Resource, usage: Use) => {
    if (!(ATTR_PROCESS_PID in resource.attributes)) return;
    const known = processes.get(resource) ?? createProcess(resource);
    processes.set(resource, {
      ...known,
      watts: sum([known.watts, usage.watts]),
      joules: sum([known.joules, usage.joules]),
      cpus: sum([known.cpus, usage.cpus]),
    });
  };
  for (const [{ resource }, counter] of readings.list('processEnergy')) {
    add(resource, { watts: counter.rate, joules: counter.value, cpus: NaN });
  }
  for (const [{ resource }, counter] of readings.list('processCpu')) {
    add(resource, { watts: NaN, joules: NaN, cpus: counter.rate });
  }
  return [...processes.values()].filter(({ watts, cpus }) => watts > 0 || cpus > 0).toSorted(compareUse);
}

function createProcess({ attributes }: Resource): ProcessView {
  const name = String(attributes[ATTR_PROCESS_EXECUTABLE_NAME] ?? '');
  return { name, pid: String(attributes[ATTR_PROCESS_PID] ?? ''), watts: NaN, joules: NaN, cpus: NaN };
}

function compareUse(a: ProcessView, b: ProcessView): number {
  const watts = (b.watts || 0) - (a.watts || 0);
  return watts === 0 ? (b.cpus || 0) - (a.cpus || 0) : watts;
}

/** The sum of known values; NaN if none is known. */
function sum(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? NaN : known.reduce((total, value) => total + value, 0);
}
