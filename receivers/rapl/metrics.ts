import type { Attributes, Resource, Series } from '../../src/model/series.js';
import { hwEnergy, raplEnergy } from '../../src/model/shared-metrics.js';
import { nameDomain, namePlace } from './domain.js';
import type { Domain, InterfaceName } from './domain.js';

/** What a sampler says of its columns. Plain data. */
export interface Columns {
  readonly interface: InterfaceName;
  readonly domains: readonly Domain[];
  /** One per domain: where it is read. */
  readonly sources: readonly string[];
  /** Domains that are there, but count nothing, and where they would be read. */
  readonly dead: readonly { readonly domain: Domain; readonly source: string }[];
  /** How many counters began anew since the sampler was opened. */
  readonly resets: number;
  /** Those whose counters began anew just before these columns. */
  readonly anew: readonly Domain[];
  /** What a person should know about the choice of interface and domains. */
  readonly notes: readonly string[];
}

/** The series of a sampler's columns, in order. */
export function createSeries(
  columns: Pick<Columns, 'interface' | 'domains'>,
  resource: Resource,
  start: bigint,
): readonly Series[] {
  const meter = { 'energy.method': 'measured', 'energy.interface': columns.interface };
  return columns.domains.map((domain) => ({
    metric: domain.kind === 'package' || domain.kind === 'dram' ? hwEnergy : raplEnergy,
    resource,
    attributes: { ...describeDomain(domain), ...meter },
    start,
  }));
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
