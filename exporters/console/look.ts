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

/** What is looked at, and how much of it. */
export interface LookOptions {
  /** Seconds since the collector began. */
  readonly elapsed: number;
  /** CPUs of this machine. */
  readonly cpuCount: number;
  /** How many processes. */
  readonly top: number;
}

const partNames = ['attributed', 'idle', 'unattributed'];
const idleModes = new Set(['idle', 'iowait', 'steal']);

/** What a summary shows now. Rates are means since the last look. */
export function lookAt(readings: Readings, { elapsed, cpuCount, top }: LookOptions): View {
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

/** What the processes were charged, where no ledger shows what was attributed. */
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
    // A counter that was reset goes on here.
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

/** How many CPUs are busy. The exact counter counts where there is one. */
function lookAtBusyCpus(readings: Readings): number {
  const exact = sum(readings.list('busy').map(([, { rate }]) => rate));
  const byMode = readings
    .list('cpu')
    .filter(([{ attributes }]) => !idleModes.has(String(attributes[ATTR_CPU_MODE])))
    .map(([, { rate }]) => rate);
  return Number.isNaN(exact) ? sum(byMode) : exact;
}

/**
 * How many CPUs there are; NaN where it is not reported, and it cannot be those of this machine: what is replayed or
 * simulated is of another one.
 */
function countCpus(readings: Readings, busy: number, own: number): number {
  const [counted = NaN] = readings.list('cpuCount').map(([, { value }]) => value);
  // No clock is so inexact that a tenth of the CPUs are busy beyond all of them.
  return counted > 0 ? counted : busy > own * 1.1 ? NaN : own;
}

/** Those that use most first. `other` is part of the rest. */
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

/** The attributes by which people know a group; the first that there is of each entry. */
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

/** Those that use most first; those that use nothing not at all, nor those without a pid: they are several as one. */
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

/** The sum of what is known; NaN where nothing is. */
function sum(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? NaN : known.reduce((total, value) => total + value, 0);
}
