import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createGrant, type Remedy } from '../../src/component/probe.js';
import { describeCode, describeErrors } from '../../src/errors.js';
import { PerfEventError } from '../../src/linux/perf/event.js';
import { findNames, findText } from '../../src/linux/sysfs.js';
import { isVirtualMachine } from '../../src/linux/topology.js';
import type { Config } from './config.js';
import {
  isTwin,
  keepFirst,
  nameDomain,
  nameDomains,
  nameWhole,
  type Domain,
  type InterfaceName,
} from './domain.js';
import { findPerfCounters, perfFolder, type PerfCounter } from './find-perf.js';
import { energyPath, findZones, powercapFolder, readEnergy, type Zone } from './find-powercap.js';
import type { PerfFailure } from './perf-counters.js';
import type { ZoneFailure } from './powercap-counters.js';

/** The counters of both interfaces. */
export interface Sources {
  readonly perf: readonly PerfCounter[];
  readonly zones: readonly Zone[];
}

/** The counters found in sysfs, whether readable or not. */
export interface Discovery {
  /** All counters of the interfaces that the settings allow. */
  readonly found: Sources;
  /** Those of them that can be trusted and are selected by the settings. */
  readonly wanted: Sources;
  /** Notes for the user about the choice. */
  readonly notes: readonly string[];
  /** A text that changes when counters come, go or move to another CPU; independent of their values. */
  readonly identity: string;
}

interface Source {
  readonly domain: Domain;
}

/** Searches sysfs once. */
export function discoverDomains(config: Config): Discovery {
  const found = findSources(config);
  const isDoubtful = disagree(found);
  const { perf, zones } = isDoubtful ? keepCommon(found) : found;
  const isWanted = ({ domain }: Source) => config.domains[domain.kind];
  return {
    found,
    wanted: { perf: perf.filter(isWanted), zones: zones.filter(isWanted) },
    notes: isDoubtful ? [describeDisagreement(found)] : [],
    identity: identify(found),
  };
}

/**
 * A text that changes when modules or CPUs come or go, for a quarter of the work of `discover`. It misses new
 * zones nested in others in a copied tree.
 */
export function readSysfsFingerprint(sysfs: string): string {
  const devices = join(sysfs, 'bus/event_source/devices');
  const texts = ['power/type', 'power/cpumask'].map((path) => join(devices, path));
  return JSON.stringify([
    findText(join(sysfs, 'devices/system/cpu/online')),
    texts.map(findText),
    findNames(powercapFolder(sysfs)),
  ]);
}

function findSources({ interface: wanted, sysfs }: Config): Sources {
  const zones = findZones(sysfs);
  const perf = wanted === 'powercap' ? [] : findPerfCounters(sysfs);
  return {
    perf: perf.map((counter) => limit(counter, zones)),
    zones: wanted === 'perf_event' ? [] : zones,
  };
}

/** Only powercap knows the limits of a domain. */
function limit(counter: PerfCounter, zones: readonly Zone[]): PerfCounter {
  const name = nameDomain(counter.domain);
  const zone = zones.find(({ domain }) => nameDomain(domain) === name);
  return zone ? { ...counter, maxWatts: zone.maxWatts } : counter;
}

function identify({ perf, zones }: Sources): string {
  return JSON.stringify([
    perf.map(({ domain, type, config, cpu, cpus }) => [domain, type, String(config), cpu, cpus]),
    zones.map(({ domain, path, maxMicrojoules, copies }) => [
      domain,
      path,
      maxMicrojoules,
      copies.map((copy) => copy.path),
    ]),
  ]);
}

/** Whether packages are among them: virtual machines may offer other domains, which count nothing. */
export function hasPackage(sources: readonly Source[]): boolean {
  return sources.some(({ domain }) => domain.kind === 'package');
}

/** Whether the two interfaces offer different counters: one of them is wrong. */
function disagree({ perf: counters, zones: all }: Sources): boolean {
  // perf_event may have one counter for dies that show the same one. Whether they do is determined while they
  // move.
  const zones = mergeAliases(all);
  const perf = counters.filter((counter) => !isSum(counter));
  const isCommon = perf.length === zones.length && keepNamed(perf, zones).length === perf.length;
  return hasPackage(perf) && hasPackage(zones) && !isCommon;
}

function describeDisagreement({ perf, zones }: Sources): string {
  return `perf_event has ${nameDomains(perf)} but powercap has ${nameDomains(zones)}: only what both have is read`;
}

/** The domains that both interfaces have, which are safe; none if they do not even have a package in common. */
function keepCommon({ perf, zones }: Sources): Sources {
  const named = keepNamed(
    perf.filter((one) => !isSum(one)),
    zones,
  );
  const common = { perf: [...named, ...perf.filter(isSum)], zones: keepNamed(zones, perf) };
  return hasPackage(common.perf) ? common : { perf: [], zones: [] };
}

/** AMD's cores, which powercap does not have. */
function isSum({ cpus }: PerfCounter): boolean {
  return cpus !== undefined;
}

function keepNamed<Kept extends Source>(
  sources: readonly Kept[],
  others: readonly Source[],
): readonly Kept[] {
  const names = new Set(others.map(({ domain }) => nameDomain(domain)));
  return sources.filter(({ domain }) => names.has(nameDomain(domain)));
}

/**
 * If all dies of a package show the counter of the package, or several sockets that of the machine, one zone is
 * kept for the whole.
 */
export function mergeAliases(zones: readonly Zone[]): readonly Zone[] {
  return keepFirst(
    zones.map((zone) => {
      const twins = zones.filter((other) => isTwin(zone.domain, other.domain));
      const isAlias = twins.length > 0 && twins.every((twin) => isSameCounter(zone.path, twin.path));
      if (!isAlias) return zone;
      return { ...zone, domain: nameWhole(zone.domain), copies: [...zone.copies, ...twins] };
    }),
  );
}

/**
 * Whether a reading of one counter lies between two of the other: for different counters, that is practically
 * impossible.
 */
function isSameCounter(a: string, b: string): boolean {
  const [before = 0, between = 0, after = 0] = [a, b, a].map((path) => readEnergy(path));
  return before > 0 && before <= between && between <= after;
}

/** Why an interface, or a part of it, is not read. */
export interface Refusal {
  readonly reason: string;
  readonly remedies: readonly Remedy[];
}

const driverRemedy: Remedy = {
  missing: 'the kernel drivers of RAPL',
  command: 'sudo modprobe -a rapl intel_rapl_msr',
};

const machineRemedy: Remedy = {
  missing: 'energy counters, which are not available in a virtual machine',
  command: 'run joulemetry on the host of this virtual machine',
};

const hostRemedy: Remedy = {
  missing: "the host's sysfs, which this container hides",
  command: 'mount the host\'s /sys read-only at /host/sys and set "sysfs: /host/sys"',
};

const everyUserRemedy: Remedy = {
  missing: 'perf_event for every user',
  command: 'sudo sysctl kernel.perf_event_paranoid=0',
};

/** The privileges for reading an interface. */
const grants: Readonly<Record<InterfaceName, readonly Remedy[]>> = {
  perf_event: [...createGrant(['CAP_PERFMON'], 'the counters of perf_event'), everyUserRemedy],
  powercap: createGrant(['CAP_DAC_READ_SEARCH'], 'the files of powercap'),
};

/** Explains that an interface has no package. */
export function explainNone(name: InterfaceName, sysfs: string, { perf }: Pick<Sources, 'perf'>): Refusal {
  const folder = powercapFolder(sysfs);
  const zones = findNames(folder);
  if (name === 'powercap' && zones.some((zone) => zone.startsWith('intel-rapl:')))
    return { reason: `powercap: the zones in ${folder} cannot be followed`, remedies: [hostRemedy] };
  const found =
    name === 'perf_event' ? describePmu(sysfs, perf) : `${folder} has no intel-rapl zone of a package`;
  // If there are zones, the drivers are loaded: the remedy is that for zones.
  const isLoaded = zones.some((zone) => zone.startsWith('intel-rapl'));
  const remedies = isVirtualMachine(sysfs) ? [machineRemedy] : isLoaded ? [] : [driverRemedy];
  return { reason: `${name}: ${found}`, remedies };
}

function describePmu(sysfs: string, perf: Sources['perf']): string {
  const folder = perfFolder(sysfs);
  if (!existsSync(folder)) return `${folder} does not exist`;
  const others = nameDomains(perf);
  return `${folder}/events has ${others === '' ? 'no energy event' : `only ${others}, but no energy-pkg`}`;
}

/** Explains counters that cannot be opened or read, at least one. */
export function explainFailures(
  name: InterfaceName,
  failures: readonly (PerfFailure | ZoneFailure)[],
): Refusal {
  const errors = failures.map((failure) => ('zone' in failure ? describeZone(failure) : failure.error));
  const remedies = failures.some(({ error }) => isForbidden(error)) ? grants[name] : [];
  return { reason: `${name}: ${describeErrors(errors, ', ')}`, remedies };
}

/** The error of a zone is the system's; that of a perf_event counter names the counter and the privilege. */
function describeZone({ zone, error }: ZoneFailure): Error {
  const found = isForbidden(error)
    ? `${describeCode(error)}, root or CAP_DAC_READ_SEARCH is needed`
    : describeCode(error);
  return new Error(`Cannot read ${nameDomain(zone.domain)} from ${energyPath(zone)}: ${found}`, {
    cause: error,
  });
}

function isForbidden(error: unknown): boolean {
  return describeCode(error) === 'EACCES' || (error instanceof PerfEventError && error.code === 'EPERM');
}
