import type { Metric } from '../model/series.js';
import { hostEnergy, hwEnergy, meterEnergy } from '../model/shared-metrics.js';
import type { Claims } from './claims.js';

/**
 * What a meter measures: the whole host; a domain that overlaps with no other one, by its key (`cpu/0`, `memory/0`,
 * `gpu/0000:65:00.0`); or something else, such as a rail, a module or a load that is not known.
 */
export type Measured = 'host' | 'other' | { readonly domain: string };

/** Where the energy of a meter goes. */
export interface EnergyPlace {
  readonly metric: Metric;
  /** The receiver that publishes the energy of the same domain, if there is one. */
  readonly owner?: string;
}

/**
 * Decides the metric of a meter's energy, and claims what it measures: `hw.host.energy` or `hw.energy` where no other
 * receiver publishes that, otherwise `hw.meter.energy`, which is never added up. A receiver with several meters of one
 * domain asks once for each domain: what it has may be claimed again.
 * @param id the `hw.id` of the meter, by which what it contains names it as its `hw.parent`, and it names what contains it
 */
export function claimEnergy(claims: Claims, measured: Measured, id?: string): EnergyPlace {
  if (measured === 'other') return { metric: meterEnergy };
  const isHost = measured === 'host';
  const key = isHost ? 'host' : measured.domain;
  const owner = claims.claim(`energy/${key}`);
  if (id !== undefined) claims.place({ id, key });
  if (owner !== undefined) return { metric: meterEnergy, owner };
  return { metric: isHost ? hostEnergy : hwEnergy };
}
