import type { CardFeature } from '../../src/gpu/card-reader.js';
import type { Card } from '../../src/gpu/cards.js';
import { listPmus, type Pmu } from '../../src/linux/perf/pmu.js';
import type { Config } from './config.js';
import { bindXePmu } from './engine-ticks.js';
import { bindI915Pmu } from './engine-times.js';

/** Where PMUs are, and whose PMUs are used. */
export interface PmuOptions {
  readonly sysfs: string;
  readonly engines: Config['engines'];
}

/**
 * The counters of a card's PMU. While a counter of xe is open, the GPU stays awake: xe_pmu_event_init in
 * drivers/gpu/drm/xe/xe_pmu.c.
 * @param hasColumn whether a column is already read in another way
 */
export function bindPmu(
  { sysfs, engines }: PmuOptions,
  card: Card,
  hasColumn: (column: string) => boolean,
): readonly CardFeature[] {
  const isWanted = engines === 'all' || engines === card.driver;
  const pmu = isWanted ? findPmu(sysfs, card) : undefined;
  if (pmu === undefined) return [];
  return card.driver === 'xe' ? bindXePmu(pmu, card, hasColumn) : bindI915Pmu(pmu, hasColumn);
}

/**
 * Its name ends with the address of the card, without colons; only that of an integrated GPU of i915 is just
 * `i915`.
 */
function findPmu(sysfs: string, { driver, address }: Card): Pmu | undefined {
  const pmus = listPmus(sysfs);
  const own = `${driver}_${address.replaceAll(':', '_')}`;
  const isFirst = address === '0000:00:02.0';
  return (
    pmus.find(({ name }) => name === own) ?? (isFirst ? pmus.find(({ name }) => name === driver) : undefined)
  );
}
