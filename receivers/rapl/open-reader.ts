import { isOtherThanX86 } from '../../src/linux/topology.js';
import type { Config } from './config.js';
import {
  discoverDomains,
  explainFailures,
  explainNone,
  hasPackage,
  type Discovery,
  type Refusal,
  type Sources,
} from './discovery.js';
import { nameDomain, nameDomains, type InterfaceName, type LeftOut } from './domain.js';
import { findMoving, type EnergyReader } from './energy-reader.js';
import { nameFolder, readEnergy, type Zone } from './find-powercap.js';
import { openPerfReader, type PerfFailure } from './perf-counters.js';
import { isReadable, openZones, type ZoneFailure } from './powercap-counters.js';

/** Open counters of one interface, and errors of those that could not be opened. */
interface OpenCounters {
  /** The caller closes it. */
  readonly reader: EnergyReader;
  /** By domain of the reader: whether it has counted something. */
  readonly hasCounted: readonly boolean[];
  readonly left: readonly LeftOut[];
  /** Why some cannot be read. */
  readonly failures: readonly Refusal[];
  readonly notes: readonly string[];
  /** Whether one of them has become readable. */
  canReadMore(): boolean;
}

/** The result of opening the counters. */
export interface Opening extends Omit<OpenCounters, 'reader'> {
  readonly reader: EnergyReader | undefined;
  readonly discovery: Discovery;
  /** Why an interface was not used. */
  readonly refusals: readonly Refusal[];
}

const nothing = { reader: undefined, hasCounted: [], left: [], failures: [], canReadMore: () => false };

/** No driver can be loaded on other machines. */
const onlyX86: Refusal = { reason: 'RAPL is available only on x86 CPUs', remedies: [] };

type Failure = PerfFailure | ZoneFailure;

interface OpenOptions {
  /** By default the current result of `discover`. */
  readonly discovery?: Discovery;
  /** The previous reader: counters that both have are moved to the new one and continue. */
  readonly previous?: EnergyReader | undefined;
  /** A monotonic clock; by default the real one. */
  readonly nowMs?: () => number;
}

/** Opens perf_event, or else powercap, with the selected domains that can be trusted. */
export function openReader(config: Config, options: OpenOptions = {}): Opening {
  const { discovery = discoverDomains(config) } = options;
  const refusals: Refusal[] = [];
  let best: OpenCounters | undefined;
  for (const name of listInterfaces(config)) {
    const attempt = open(name, config.sysfs, discovery, options);
    if (!('reader' in attempt)) refusals.push(attempt);
    else best = keepBetter(best, attempt);
    if (best && !lacksPackage(best)) break;
  }
  const { notes } = discovery;
  if (best === undefined)
    return { ...nothing, discovery, notes, refusals: isOtherThanX86(config.sysfs) ? [onlyX86] : refusals };
  return { ...best, discovery, notes: [...notes, ...best.notes, ...describeUnmoved(best)], refusals };
}

function listInterfaces({ interface: name }: Config): readonly InterfaceName[] {
  return name === 'auto' ? ['perf_event', 'powercap'] : [name];
}

function lacksPackage({ left }: OpenCounters): boolean {
  return left.some(({ domain }) => domain.kind === 'package');
}

/** The one that reads more packages; if equal, the first. */
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

type Attempt = OpenCounters | Refusal;

function open(
  name: InterfaceName,
  sysfs: string,
  { found, wanted }: Discovery,
  options: OpenOptions,
): Attempt {
  const kind = name === 'perf_event' ? 'perf' : 'zones';
  if (!hasPackage(found[kind])) return explainNone(name, sysfs, found);
  if (wanted[kind].length === 0) return { reason: `${name}: none of the configured domains`, remedies: [] };
  return name === 'perf_event' ? openPerf(wanted.perf, options) : openPowercap(found, wanted.zones, options);
}

function openPerf(counters: Sources['perf'], { previous }: OpenOptions): Attempt {
  const failures: PerfFailure[] = [];
  const reader = openPerfReader(counters, failures, previous);
  const hasCounted = findMoving(reader, (joules) => joules > 0, previous);
  if (!hasCounted.some(Boolean))
    return giveUp(reader, failures, `${nameDomains(counters)} can be opened, but count nothing`);
  const left = failures.map(({ counter: { domain, event, cpu } }): LeftOut => ({
    domain,
    source: `${event} on cpu ${cpu}`,
    state: 'unreadable',
  }));
  const refusals = explainSome(reader, failures);
  return { reader, hasCounted, left, failures: refusals, notes: [], canReadMore: () => false };
}

function openPowercap(found: Sources, zones: readonly Zone[], { nowMs, previous }: OpenOptions): Attempt {
  const { reader, group, failures } = openZones(zones, nowMs, previous);
  const isRead = findMoving(reader, (joules) => joules >= 0, previous);
  if (!isRead.some(Boolean))
    return giveUp(reader, failures, `${nameDomains(zones)} can be opened, but not be read`);
  const resting = findResting(found.zones);
  const left = failures.map(({ zone: { domain, path } }): LeftOut => ({
    domain,
    source: nameFolder(path),
    state: 'unreadable',
  }));
  return {
    reader,
    hasCounted: reader.places.map(({ path }) => !resting.has(path)),
    left,
    failures: explainSome(reader, failures),
    notes: [...describeRanges(zones, group.zonesBeyondRange), ...describeZeros(reader, resting)],
    canReadMore: () => failures.some(({ zone }) => isReadable(zone)),
  };
}

function giveUp(reader: EnergyReader, failures: readonly Failure[], reason: string): Refusal {
  reader.close();
  const [refusal] = explainSome(reader, failures);
  return refusal ?? { reason: `${reader.interface}: ${reason}`, remedies: [] };
}

function explainSome(reader: EnergyReader, failures: readonly Failure[]): readonly Refusal[] {
  return failures.length === 0 ? [] : [explainFailures(reader.interface, failures)];
}

/**
 * The paths of zones that are 0: nothing was ever counted in them, as far as is known. A package is one of them
 * only if another package has counted something.
 */
export function findResting(zones: readonly Zone[]): ReadonlySet<string> {
  const atZero = zones.filter(({ path }) => readEnergy(path) === 0);
  const isCounting = zones.some(
    ({ domain, path }) => domain.kind === 'package' && (readEnergy(path) ?? 0) > 0,
  );
  const resting = isCounting ? atZero : atZero.filter(({ domain }) => domain.kind !== 'package');
  return new Set(resting.map(({ path }) => path));
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

/** A package at 0 is published if no other package counts: there is nothing to compare it with. */
function describeZeros({ places }: EnergyReader, resting: ReadonlySet<string>): readonly string[] {
  const zeros = places.filter(({ path }) => !resting.has(path) && readEnergy(path) === 0);
  if (zeros.length === 0) return [];
  return [`powercap: nothing was counted so far, the counter stands at 0: ${nameDomains(zeros)}`];
}

function describeUnmoved({ reader, hasCounted }: OpenCounters): readonly string[] {
  const unmoved = reader.places.filter((_, column) => !hasCounted[column]);
  if (unmoved.length === 0) return [];
  return [`${reader.interface}: left out until it counts, since it never did: ${nameDomains(unmoved)}`];
}
