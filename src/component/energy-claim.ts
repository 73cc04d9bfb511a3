import type { Metric } from '../model/series.js';
import { hostEnergy, hwEnergy, meterEnergy } from '../model/shared-metrics.js';
import type { Claims } from './claims.js';

/**
 * What a meter measures: the whole host; a domain that overlaps with no other one, by its key (`cpu/0`,
 * `memory/0`, `gpu/0000:65:00.0`); or something else, such as a rail, a module or an unknown load.
 */
export type Measured = 'host' | 'other' | { readonly domain: string };

/** Under which metric a meter's energy is published. */
export interface EnergyPlace {
  readonly metric: Metric;
  /** The receiver that already publishes the energy of the same domain, if any. */
  readonly owner?: string;
}

/**
 * Chooses the metric of a meter's energy, and claims what it measures: `hw.host.energy` or `hw.energy` if no
 * other receiver publishes that, otherwise `hw.meter.energy`, which is never added up. A receiver with several
 * meters of one domain must call this once per domain, since it may repeat its own claims.
 * @param id the `hw.id` of the meter, for `hw.parent` of what it contains and to find its own parent
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
