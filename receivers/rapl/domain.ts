import { elementAt } from '../../src/element.js';
import { describeDomain, energyMetricOf } from '../../src/model/energy-domain.js';
import {
  ATTR_ENERGY_INTERFACE,
  ATTR_ENERGY_METHOD,
  ATTR_HW_ID,
} from '../../src/model/semantic-conventions.js';
import type { Attributes, Resource, Series } from '../../src/model/series.js';

export const domainKinds = ['package', 'dram', 'core', 'uncore', 'psys'] as const;

export type DomainKind = (typeof domainKinds)[number];

/** What one RAPL counter counts. The numbers are the kernel's. */
export interface Domain {
  readonly kind: DomainKind;
  /**
   * The socket. psys, the whole machine, is that of socket 0, by whichever socket it is read; where others count one
   * of their own, these have their numbers.
   */
  readonly package: number;
  /** Only where a package has several dies with a counter each. */
  readonly die?: number;
}

export type InterfaceName = 'perf_event' | 'powercap';

/**
 * More than any such domain draws, in watts, where its limits are not known: a growth beyond it is no energy but a
 * counter that was reset, or garbage.
 */
export const maxWatts: Readonly<Record<DomainKind, number>> = {
  package: 2_000,
  dram: 1_000,
  core: 2_000,
  uncore: 1_000,
  psys: 20_000,
};

/** How people and the kernel call a domain: `package-0`, `package-0-die-1`, `dram-0`, `psys`, `psys-1`. */
export function nameDomain({ kind, ...place }: Domain): string {
  return kind === 'psys' && place.package === 0 ? kind : `${kind}-${namePlace(place)}`;
}

/** The socket, and the die where a package has several: `0`, `0-die-1`. */
function namePlace(place: Pick<Domain, 'package' | 'die'>): string {
  return place.die === undefined ? String(place.package) : `${place.package}-die-${place.die}`;
}

/** Whether two domains may show the same counter: dies of one package, the machine as several sockets show it. */
export function isTwin(a: Domain, b: Domain): boolean {
  if (a.kind !== b.kind) return false;
  return a.kind === 'psys' ? a.package !== b.package : a.package === b.package && a.die !== b.die;
}

/** The domain that several counters show when they are the same: the whole package, or the machine. */
export function nameWhole({ kind, package: packageId }: Domain): Domain {
  return { kind, package: kind === 'psys' ? 0 : packageId };
}

/** What a receiver claims when it publishes the domain. */
export function claimKey({ kind, package: packageId, die }: Domain): string {
  const type = kind === 'package' ? 'cpu' : kind === 'dram' ? 'memory' : kind;
  return ['energy', type, packageId, ...(die === undefined ? [] : [die])].join('/');
}

/** The names of domains for a message: `package-0, dram-0`. */
export function nameDomains(sources: readonly { readonly domain: Domain }[]): string {
  return sources.map(({ domain }) => nameDomain(domain)).join(', ');
}

/** The first source of each domain. */
export function keepFirst<Source extends { readonly domain: Domain }>(sources: readonly Source[]): Source[] {
  const byName = new Map<string, Source>();
  for (const source of sources) {
    const name = nameDomain(source.domain);
    if (!byName.has(name)) byName.set(name, source);
  }
  return [...byName.values()];
}

/** What the sampler reports of its columns, one for each counter that it reads. Plain data. */
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
  readonly reset: readonly Domain[];
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

/**
 * The series of a sampler's columns, in order.
 * @param start Unix time in nanoseconds of their first row
 */
export function createSeries(
  { interface: name, domains, agesMs }: Pick<Columns, 'interface' | 'domains' | 'agesMs'>,
  resource: Resource,
  start: bigint,
): readonly Series[] {
  const meter = { [ATTR_ENERGY_METHOD]: 'measured', [ATTR_ENERGY_INTERFACE]: name };
  return domains.map((domain, column) => ({
    metric: energyMetricOf(domain),
    resource,
    attributes: { ...describe(domain), ...meter },
    start: start - BigInt(Math.round(elementAt(agesMs, column) * 1e6)),
  }));
}

/** The same series for the counter of another domain of its kind, which counts from `start`. */
export function renameSeries(series: Series, domain: Domain, start: bigint): Series {
  return { ...series, attributes: { ...series.attributes, ...describe(domain) }, start };
}

/** The `hw.id` of a domain. */
export function identifyDomain(domain: Domain): string {
  return String(describe(domain)[ATTR_HW_ID]);
}

function describe(domain: Domain): Attributes {
  return describeDomain({ kind: domain.kind, name: nameDomain(domain), place: namePlace(domain) });
}

/** For people: `powercap: package-0, dram-0`. */
export function describeDomains({
  interface: name,
  domains,
}: Pick<Columns, 'interface' | 'domains'>): string {
  return `${name}: ${domains.map(nameDomain).join(', ')}`;
}
