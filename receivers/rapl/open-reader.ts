import type { Config } from './config.js';
import { nameDomain, nameDomains } from './domain.js';
import type { InterfaceName } from './domain.js';
import type { EnergyReader } from './energy-reader.js';
import { nameFolder } from './find-powercap.js';
import type { Zone } from './find-powercap.js';
import type { LeftOut } from './metrics.js';
import { openPerfReader, PerfReader } from './perf-reader.js';
import { isReadable, openPowercapReader, PowercapReader } from './powercap-reader.js';
import { explainNoPerf, explainNoPowercap, explainPerfFailures, explainZoneFailures } from './refusal.js';
import type { Refusal } from './refusal.js';
import {
  describeDisagreement,
  disagree,
  findSources,
  hasPackage,
  keepCommon,
  keepWanted,
} from './sources.js';
import type { Sources } from './sources.js';
import { findMoving } from './wait-for-reader.js';
import { findResting, readEnergy } from './zone-aliases.js';

/** Open counters of one interface, and what is known of those that could not be opened. */
interface OpenCounters {
  /** The caller closes it. */
  readonly reader: EnergyReader;
  /** By domain of the reader: whether it has counted something. */
  readonly hasCounted: readonly boolean[];
  readonly left: readonly LeftOut[];
  /** Why some cannot be read. */
  readonly failures: readonly Refusal[];
  readonly notes: readonly string[];
  /** Whether one of those can be read meanwhile. */
  canReadMore(): boolean;
}

/** What came of the attempt to open the counters. */
export interface Opening extends Omit<OpenCounters, 'reader'> {
  readonly reader: EnergyReader | undefined;
  /** Why an interface was not taken. */
  readonly refusals: readonly Refusal[];
}

const nothing = { reader: undefined, hasCounted: [], left: [], failures: [], canReadMore: () => false };

type Attempt = OpenCounters | Refusal;

interface OpenOptions {
  /** The reader before this one: counters that both have are moved to the new one and go on. */
  readonly previous?: EnergyReader | undefined;
  /** A clock that never runs backwards; by default the real one. */
  readonly nowMs?: () => number;
}

/** Opens perf_event, or else powercap, with the domains that can be trusted and are wanted. */
export function openReader(config: Config, options: OpenOptions = {}): Opening {
  const found = findSources(config);
  const isDoubtful = disagree(found);
  const notes = isDoubtful ? [describeDisagreement(found)] : [];
  const wanted = keepWanted(isDoubtful ? keepCommon(found) : found, config);
  const refusals: Refusal[] = [];
  let best: OpenCounters | undefined;
  for (const name of listInterfaces(config)) {
    const open = name === 'perf_event' ? openPerf : openPowercap;
    const attempt = open(config.sysfs, { found, wanted }, options);
    if (!('reader' in attempt)) refusals.push(attempt);
    else best = keepBetter(best, attempt);
    if (best && !lacksPackage(best)) break;
  }
  if (best === undefined) return { ...nothing, notes, refusals };
  return { ...best, notes: [...notes, ...best.notes, ...describeUnmoved(best)], refusals };
}

function listInterfaces({ interface: name }: Config): readonly InterfaceName[] {
  return name === 'auto' ? ['perf_event', 'powercap'] : [name];
}

function lacksPackage({ left }: OpenCounters): boolean {
  return left.some(({ domain }) => domain.kind === 'package');
}

/** That which reads more packages; of two that read as many, the first. */
function keepBetter(first: OpenCounters | undefined, second: OpenCounters): OpenCounters {
  if (first === undefined) return second;
  const isSecond = countPackages(second) > countPackages(first);
  const [better, worse] = isSecond ? [second, first] : [first, second];
  worse.reader.close();
  return better;
}

function countPackages({ reader }: OpenCounters): number {
  return reader.domains.filter(({ kind }) => kind === 'package').length;
}

interface Choice {
  readonly found: Sources;
  readonly wanted: Sources;
}

function openPerf(sysfs: string, { found, wanted: { perf } }: Choice, { previous }: OpenOptions): Attempt {
  if (!hasPackage(found.perf)) return explainNoPerf(sysfs);
  if (perf.length === 0) return { reason: 'perf_event: none of the domains that are wanted', remedies: [] };
  const reader = openPerfReader(perf, previous instanceof PerfReader ? previous : undefined);
  const { failures } = reader;
  const hasCounted = findMoving(reader, (joules) => joules > 0, previous);
  if (!hasCounted.some(Boolean)) {
    reader.close();
    if (failures.length > 0) return explainPerfFailures(failures);
    return { reason: `perf_event: ${nameDomains(perf)} can be opened, but count nothing`, remedies: [] };
  }
  const left = failures.map(({ counter: { domain, event, cpu } }): LeftOut => ({
    domain,
    source: `${event} on cpu ${cpu}`,
    state: 'unreadable',
  }));
  return {
    reader,
    hasCounted,
    left,
    failures: failures.length > 0 ? [explainPerfFailures(failures)] : [],
    notes: [],
    canReadMore: () => false,
  };
}

function openPowercap(
  sysfs: string,
  { found, wanted: { zones } }: Choice,
  { previous, nowMs }: OpenOptions,
): Attempt {
  if (!hasPackage(found.zones)) return explainNoPowercap(sysfs);
  if (zones.length === 0) return { reason: 'powercap: none of the domains that are wanted', remedies: [] };
  const before = previous instanceof PowercapReader ? previous : undefined;
  const reader = openPowercapReader(zones, nowMs, before);
  const { failures } = reader;
  const isRead = findMoving(reader, (joules) => joules >= 0, previous);
  if (!isRead.some(Boolean)) {
    reader.close();
    if (failures.length > 0) return explainZoneFailures(failures);
    return { reason: `powercap: ${nameDomains(zones)} can be opened, but not be read`, remedies: [] };
  }
  const resting = findResting(found.zones);
  const left = failures.map(({ zone: { domain, path } }): LeftOut => ({
    domain,
    source: nameFolder(path),
    state: 'unreadable',
  }));
  return {
    reader,
    hasCounted: reader.paths.map((path) => !resting.has(path)),
    left,
    failures: failures.length > 0 ? [explainZoneFailures(failures)] : [],
    notes: [...describeRanges(zones, reader.zonesBeyondRange), ...describeZeros(reader, resting)],
    canReadMore: () => failures.some(({ zone }) => isReadable(zone)),
  };
}

function describeRanges(zones: readonly Zone[], beyond: readonly Zone[]): readonly string[] {
  return [
    ...zones.flatMap((zone) =>
      zone.doubtfulMicrojoules === undefined ? [] : [describeRange(zone, zone.doubtfulMicrojoules)],
    ),
    ...beyond.map((zone) => describeRange(zone, zone.maxMicrojoules)),
  ];
}

function describeRange({ path, domain }: Zone, microjoules: number): string {
  const stated = `max_energy_range_uj of ${nameFolder(path)} (${nameDomain(domain)}) is ${microjoules}`;
  return `powercap: ${stated}, which is wrong: ignored, a counter that falls is taken to be reset`;
}

/** A package that stands at 0 is published all the same, since no other one counts: there is nothing to compare it with. */
function describeZeros({ domains, paths }: EnergyReader, resting: ReadonlySet<string>): readonly string[] {
  const zeros = domains.filter((_, i) => !resting.has(paths[i]) && readEnergy(paths[i]) === 0);
  if (zeros.length === 0) return [];
  return [
    `powercap: nothing was counted so far, the counter stands at 0: ${zeros.map(nameDomain).join(', ')}`,
  ];
}

function describeUnmoved({ reader, hasCounted }: OpenCounters): readonly string[] {
  const unmoved = reader.domains.filter((_, column) => !hasCounted[column]).map((domain) => ({ domain }));
  if (unmoved.length === 0) return [];
  return [`${reader.interface}: left out until it counts, since it never did: ${nameDomains(unmoved)}`];
}
