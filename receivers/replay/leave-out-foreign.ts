import { ClaimedSeries } from '../../src/component/claims.js';
import type { ReceiverContext } from '../../src/component/component.js';
import { passHistograms, type Consumer } from '../../src/component/consumer.js';
import { parseComponentId } from '../../src/config/components.js';
import { raplEnergy } from '../../src/model/energy-domain.js';
import { createPlans } from '../../src/model/plan.js';
import { ATTR_ENERGY_METHOD, ATTR_HW_TYPE, ATTR_RAPL_DOMAIN } from '../../src/model/semantic-conventions.js';
import type { Series } from '../../src/model/series.js';
import { floorPower, hostEnergy, hwEnergy } from '../../src/model/shared-metrics.js';
import { busyTime, processCpuTime } from '../../src/model/usage-metrics.js';

/**
 * Wraps the consumer of a replay and leaves out what a meter of the same agent publishes, since energy would be
 * counted twice. Other replays may publish the same, for example files of another machine.
 */
export function leaveOutForeign(
  { id, claims, log }: Pick<ReceiverContext, 'id' | 'claims' | 'log'>,
  next: Consumer,
): Consumer {
  const { type } = parseComponentId(id);
  const findMeter = (key: string) => {
    const owner = claims.claim(key);
    return owner === undefined || parseComponentId(owner).type === type ? undefined : owner;
  };
  const claimed = new ClaimedSeries({ claim: findMeter }, next);
  const warned = new Set<string>();
  const claimOne = createPlans((series: Series) => {
    const key = claimKey(series);
    const owner = key === undefined ? undefined : claimed.claim(key, series);
    if (owner === undefined) return series;
    const message = `Leaving out what another receiver publishes: ${series.metric.name} by "${owner}"`;
    if (!warned.has(message)) log.warn(message);
    warned.add(message);
    return series;
  });
  const claimAll = createPlans((series: readonly Series[]) => series.map(claimOne));
  return {
    consume(table) {
      claimAll(table.series);
      table.ended?.forEach(claimOne);
      return claimed.consume(table);
    },
    // No meter publishes histograms.
    consumeHistograms: (table) => passHistograms(next, table),
  };
}

/** What a meter with this series would claim; undefined: it is not specific to a meter. */
function claimKey({ metric, attributes }: Series): string | undefined {
  switch (metric.name) {
    case hwEnergy.name:
    case hostEnergy.name:
    case floorPower.name:
      return keyOf(attributes[ATTR_HW_TYPE], attributes[ATTR_ENERGY_METHOD]);
    case raplEnergy.name:
      return keyOf(attributes[ATTR_RAPL_DOMAIN]);
    case processCpuTime.name:
    case busyTime.name:
      return 'usage';
    default:
      return undefined;
  }
}

function keyOf(domain: unknown, method?: unknown): string {
  // A whole host is estimated only if no meter of its CPUs can be read.
  if (domain === 'host') return method === 'estimated' ? 'energy/cpu' : 'energy/host';
  return typeof domain === 'string' && domain !== '' ? `energy/${domain}` : 'energy';
}
