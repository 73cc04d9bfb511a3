import type { Attributes, Metric, Resource, Series } from '../../src/model/series.js';
import { hwEnergy, raplEnergy } from '../../src/model/shared-metrics.js';
import { nameDomain, namePlace } from './domain.js';
import type { Domain, DomainKind, InterfaceName } from './domain.js';

/** What a sampler says of its columns, which are all counters that it reads. Plain data. */
export interface Columns {
  readonly interface: InterfaceName;
  readonly domains: readonly Domain[];
  /** One per domain: where it is read. */
  readonly sources: readonly string[];
  /** One per domain: the zone's file that shows the counter; empty for perf_event. */
  readonly paths: readonly string[];
  /** One per domain: whether it had counted something when it was opened. */
  readonly hasCounted: readonly boolean[];
  /** One per domain: how long before the first row of these columns its counter was at 0, in milliseconds. */
  readonly agesMs: readonly number[];
  /** Counters that are not read, or not used. */
  readonly left: readonly LeftOut[];
  /** How many counters were reset since the sampler was opened. */
  readonly resets: number;
  /** Those whose counters were reset just before these columns. */
  readonly anew: readonly Domain[];
  /** What a person should know about the choice of interface and domains. */
  readonly notes: readonly string[];
  /** What has happened since the columns before. */
  readonly events: readonly Note[];
}

/** A line for the log. */
export interface Note {
  readonly level: 'info' | 'warn';
  readonly text: string;
}

/** `unreadable`: it cannot be opened or read. `unusable`: it was reset too often. `copy`: shows a domain again. */
export interface LeftOut {
  readonly domain: Domain;
  readonly source: string;
  readonly state: 'unreadable' | 'unusable' | 'copy';
}

/** Packages and memory are apart from one another; what else RAPL counts is a part of them, or holds them. */
export function metricOf(kind: DomainKind): Metric {
  return kind === 'package' || kind === 'dram' ? hwEnergy : raplEnergy;
}

/**
 * The series of a sampler's columns, in order.
 * @param start Unix time in nanoseconds of their first row
 */
export function createSeries(
  { interface: name, domains, agesMs }: Pick<Columns, 'interface' | 'domains' | 'agesMs'>,
  resource: Resource,
  start: bigint,
): readonly Series[] {
  const meter = { 'energy.method': 'measured', 'energy.interface': name };
  return domains.map((domain, column) => ({
    metric: metricOf(domain.kind),
    resource,
    attributes: { ...describeDomain(domain), ...meter },
    start: start - BigInt(Math.round(agesMs[column] * 1e6)),
  }));
}

/** The same series for the counter of another domain of its kind, which counts from `start`. */
export function renameSeries(series: Series, domain: Domain, start: bigint): Series {
  return { ...series, attributes: { ...series.attributes, ...describeDomain(domain) }, start };
}

function describeDomain(domain: Domain): Attributes {
  const name = nameDomain(domain);
  const packageId = `cpu-package-${namePlace(domain)}`;
  switch (domain.kind) {
    case 'package':
      return { 'hw.type': 'cpu', 'hw.id': packageId, 'hw.name': name };
    case 'dram':
      return { 'hw.type': 'memory', 'hw.id': name, 'hw.name': name, 'hw.parent': packageId };
    case 'psys':
      return { 'rapl.domain': domain.kind, 'hw.id': name };
    case 'core':
    case 'uncore':
      return { 'rapl.domain': domain.kind, 'hw.id': name, 'hw.parent': packageId };
  }
}

/** For people: `powercap: package-0, dram-0`. */
export function describeDomains({
  interface: name,
  domains,
}: Pick<Columns, 'interface' | 'domains'>): string {
  return `${name}: ${domains.map(nameDomain).join(', ')}`;
}
