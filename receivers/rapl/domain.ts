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

/** What a RAPL counter measures. The numbers are the kernel's. */
export interface Domain {
  readonly kind: DomainKind;
  /**
   * The socket. psys, the whole machine, belongs to socket 0, whichever socket reads it; if other sockets count
   * their own, these have their numbers.
   */
  readonly package: number;
  /** Only if a package has several dies with a counter each. */
  readonly die?: number;
}

export type InterfaceName = 'perf_event' | 'powercap';

/**
 * More than any such domain draws, in watts, if its limits are unknown: a larger growth is not energy but a
 * reset, or garbage.
 */
export const maxWatts: Readonly<Record<DomainKind, number>> = {
  package: 2_000,
  dram: 1_000,
  core: 2_000,
  uncore: 1_000,
  psys: 20_000,
};

/** The name of a domain, as in the kernel: `package-0`, `package-0-die-1`, `dram-0`, `psys`, `psys-1`. */
export function nameDomain({ kind, ...place }: Domain): string {
  return kind === 'psys' && place.package === 0 ? kind : `${kind}-${namePlace(place)}`;
}

/** The socket, and the die if a package has several: `0`, `0-die-1`. */
function namePlace(place: Pick<Domain, 'package' | 'die'>): string {
  return place.die === undefined ? String(place.package) : `${place.package}-die-${place.die}`;
}

/** Whether two domains may show the same counter: dies of one package, or psys of several sockets. */
export function isTwin(a: Domain, b: Domain): boolean {
  if (a.kind !== b.kind) return false;
  return a.kind === 'psys' ? a.package !== b.package : a.package === b.package && a.die !== b.die;
}

/** The domain of several counters if they are identical: the whole package, or the machine. */
export function nameWhole({ kind, package: packageId }: Domain): Domain {
  return { kind, package: kind === 'psys' ? 0 : packageId };
}

/** The claim of a receiver that publishes the domain. */
export function claimKey({ kind, package: packageId, die }: Domain): string {
  const type = kind === 'package' ? 'cpu' : kind === 'dram' ? 'memory' : kind;
  return ['energy', type, packageId, ...(die === undefined ? [] : [die])].join('/');
}

/** The names of domains for messages: `package-0, dram-0`. */
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

/** The sampler's description of its columns, one per counter that it reads. Plain data. */
export interface Columns {
  readonly interface: InterfaceName;
  readonly domains: readonly Domain[];
  /** One per domain: its counter. */
  readonly sources: readonly string[];
  /** One per domain: the file of its zone; empty for perf_event. */
  readonly paths: readonly string[];
  /** One per domain: whether it had counted something when it was opened. */
  readonly hasCounted: readonly boolean[];
  /** One per domain: how long before the first row of these columns its counter was 0, in milliseconds. */
  readonly agesMs: readonly number[];
  /** Counters that are not read, or not used. */
  readonly left: readonly LeftOut[];
  /** Number of resets since the sampler was opened. */
  readonly resets: number;
  /** Domains whose counters were reset just before these columns. */
  readonly reset: readonly Domain[];
  /** Notes for the user about the choice of interface and domains. */
  readonly notes: readonly string[];
  /** Events since the previous columns. */
  readonly events: readonly Note[];
}

/** A line for the log. */
export interface Note {
  readonly level: 'info' | 'warn';
  readonly text: string;
}

/**
 * `unreadable`: it cannot be opened or read. `unusable`: it was reset too often. `copy`: shows a domain that is
 * already read.
 */
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

/** The same series for another domain of its kind, counting from `start`. */
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

/** For messages: `powercap: package-0, dram-0`. */
export function describeDomains({
  interface: name,
  domains,
}: Pick<Columns, 'interface' | 'domains'>): string {
  return `${name}: ${domains.map(nameDomain).join(', ')}`;
}
