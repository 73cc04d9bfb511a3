import {
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_PARENT,
  ATTR_HW_TYPE,
  ATTR_RAPL_DOMAIN,
} from './semantic-conventions.js';
import type { Attributes, Metric, Series } from './series.js';
import { hwEnergy } from './shared-metrics.js';

/**
 * Energy of domains that overlap with those of `hw.energy`. Attributes: `rapl.domain`, `hw.id`, and `hw.parent`
 * if known.
 */
export const raplEnergy: Metric = {
  name: 'rapl.energy',
  unit: 'J',
  description: 'Energy used by a part of a package, or by a domain that contains packages; never sum these',
  kind: 'counter',
  valueType: 'double',
};

/** Whether this is the energy of a whole platform (psys), which contains the packages. */
export function isPlatform({ metric, attributes }: Pick<Series, 'metric' | 'attributes'>): boolean {
  return metric.name === raplEnergy.name && attributes[ATTR_RAPL_DOMAIN] === 'psys';
}

/** A hardware domain with an energy meter, real or simulated. */
export interface EnergyDomain {
  readonly kind: 'package' | 'dram' | 'core' | 'uncore' | 'psys' | 'gpu';
  /** `package-0`. */
  readonly name: string;
  /** The socket, and the die if a package has several: `0`, `0-die-1`. */
  readonly place: number | string;
}

/** The `hw.type` of domains that do not overlap; the others are parts of them or contain them. */
const hardwareTypes: Partial<Readonly<Record<EnergyDomain['kind'], string>>> = {
  package: 'cpu',
  dram: 'memory',
  gpu: 'gpu',
};

/** The `hw.type` of a domain; undefined if it overlaps with others. */
export function hardwareTypeOf({ kind }: Pick<EnergyDomain, 'kind'>): string | undefined {
  return hardwareTypes[kind];
}

/** The metric of a domain's energy. */
export function energyMetricOf(domain: Pick<EnergyDomain, 'kind'>): Metric {
  return hardwareTypeOf(domain) === undefined ? raplEnergy : hwEnergy;
}

/**
 * The package of a CPU or memory domain, by the kernel's number; undefined for other domains, and if the names
 * do not show it. hwmon meters have the socket in their label: `Esocket0`, `CPU Power Socket 1`.
 */
export function findPackage(attributes: Attributes): number | undefined {
  const { [ATTR_HW_TYPE]: type, [ATTR_HW_ID]: id, [ATTR_HW_PARENT]: parent = id } = attributes;
  if (type !== 'cpu' && type !== 'memory') return undefined;
  const [, byId] = /^(?:cpu-package|package|dram)-(\d+)(?:-die-\d+)?$/.exec(String(parent)) ?? [];
  const [, byLabel] = /socket ?(\d+)$/i.exec(String(attributes[ATTR_HW_NAME] ?? '')) ?? [];
  const found = byId ?? byLabel;
  return found === undefined ? undefined : Number(found);
}

/** The kind and the id of a domain; empty where they are not known. */
export function identifyDomain({ attributes }: Pick<Series, 'attributes'>): {
  readonly hwType: string;
  readonly hwId: string;
} {
  return { hwType: String(attributes[ATTR_HW_TYPE] ?? ''), hwId: String(attributes[ATTR_HW_ID] ?? '') };
}

/** The attributes that identify a domain: `hw.type` or `rapl.domain`, `hw.id` and, if known, name and parent. */
export function describeDomain({ kind, name, place }: EnergyDomain): Attributes {
  const type = hardwareTypes[kind];
  const packageId = `cpu-package-${place}`;
  if (kind === 'package') return { [ATTR_HW_TYPE]: 'cpu', [ATTR_HW_ID]: packageId, [ATTR_HW_NAME]: name };
  const parent = kind === 'psys' || kind === 'gpu' ? {} : { [ATTR_HW_PARENT]: packageId };
  if (type === undefined) return { [ATTR_RAPL_DOMAIN]: kind, [ATTR_HW_ID]: name, ...parent };
  return { [ATTR_HW_TYPE]: type, [ATTR_HW_ID]: name, [ATTR_HW_NAME]: name, ...parent };
}
