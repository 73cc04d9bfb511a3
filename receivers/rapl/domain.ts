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
 * counter that began anew, or garbage.
 */
export const mostWatts: Readonly<Record<DomainKind, number>> = {
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
export function namePlace(place: Pick<Domain, 'package' | 'die'>): string {
  return place.die === undefined ? String(place.package) : `${place.package}-die-${place.die}`;
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
