import type { Config } from './config.js';
import { nameDomain, nameDomains } from './domain.js';
import type { Domain } from './domain.js';
import { findPerfCounters } from './find-perf.js';
import type { PerfCounter } from './find-perf.js';
import { findZones } from './find-powercap.js';
import type { Zone } from './find-powercap.js';
import { mergeAliases } from './zone-aliases.js';

interface Source {
  readonly domain: Domain;
}

/** The counters that a machine offers through both interfaces. */
export interface Sources {
  readonly perf: readonly PerfCounter[];
  readonly zones: readonly Zone[];
}

/** What is here, whether or not it may be read, through the interfaces that the settings allow. */
export function findSources({ interface: wanted, sysfs }: Config): Sources {
  const zones = findZones(sysfs);
  const perf = wanted === 'powercap' ? [] : findPerfCounters(sysfs);
  return {
    perf: perf.map((counter) => limit(counter, zones)),
    zones: wanted === 'perf_event' ? [] : zones,
  };
}

/** The limits of a domain are known to powercap only. */
function limit(counter: PerfCounter, zones: readonly Zone[]): PerfCounter {
  const name = nameDomain(counter.domain);
  const zone = zones.find(({ domain }) => nameDomain(domain) === name);
  return zone ? { ...counter, mostWatts: zone.mostWatts } : counter;
}

/** A text that differs when counters came, went or moved to another CPU. What they show is no part of it. */
export function identifySources({ interface: wanted, sysfs }: Config): string {
  const perf = wanted === 'powercap' ? [] : findPerfCounters(sysfs);
  const zones = wanted === 'perf_event' ? [] : findZones(sysfs);
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

/** Whether packages are among them: virtual machines may offer the one or other domain, but it counts nothing. */
export function hasPackage(sources: readonly Source[]): boolean {
  return sources.some(({ domain }) => domain.kind === 'package');
}

/** Whether both interfaces offer counters, but not the same: one of them is wrong. */
export function disagree({ perf: counters, zones: all }: Sources): boolean {
  // perf_event may have one counter for dies that show the same one. Whether they do is found out while they move.
  const zones = mergeAliases(all);
  const perf = counters.filter((counter) => !isSum(counter));
  const isCommon = perf.length === zones.length && keepNamed(perf, zones).length === perf.length;
  return hasPackage(perf) && hasPackage(zones) && !isCommon;
}

/** How the interfaces differ, for people. */
export function describeDisagreement({ perf, zones }: Sources): string {
  return `perf_event has ${nameDomains(perf)} but powercap has ${nameDomains(zones)}: only what both have is read`;
}

/** What both interfaces know, which is safe; nothing when they do not even share a package. */
export function keepCommon({ perf, zones }: Sources): Sources {
  const common = {
    perf: [
      ...keepNamed(
        perf.filter((one) => !isSum(one)),
        zones,
      ),
      ...perf.filter(isSum),
    ],
    zones: keepNamed(zones, perf),
  };
  return hasPackage(common.perf) ? common : { perf: [], zones: [] };
}

/** The domains that the settings ask for. */
export function keepWanted({ perf, zones }: Sources, { domains }: Config): Sources {
  const isWanted = ({ domain }: Source) => domains[domain.kind];
  return { perf: perf.filter(isWanted), zones: zones.filter(isWanted) };
}

/** AMD's cores: powercap has nothing like it. */
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
