import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Probe } from '../../src/component/probe.js';
import type { Metric } from '../../src/model/series.js';
import {
  hostEnergy,
  hostPower,
  hwCurrent,
  hwEnergy,
  hwFanSpeed,
  hwPower,
  hwTemperature,
  hwVoltage,
  meterEnergy,
} from '../../src/model/shared-metrics.js';
import { createScrapingReceiver } from '../../src/scraping/scraping-receiver.js';
import type { Chip } from './channels.js';
import type { ChipTiming } from './chip-reader.js';
import { schema, type Config } from './config.js';
import { describeDomain } from './domains.js';
import { findChips } from './find-chips.js';
import { HwmonScraper } from './hwmon-scraper.js';
import { pairRails } from './pairing-rules.js';

const metrics: readonly Metric[] = [
  hwEnergy,
  hostEnergy,
  meterEnergy,
  hwPower,
  hostPower,
  hwVoltage,
  hwCurrent,
  hwTemperature,
  hwFanSpeed,
];

/** The hwmon receiver: sensors of boards, power supplies, drives and rails. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics,
  yields: 'board',
  probe,
  create: (config, context, next) => createReceiver(config, context, next),
};

/** @param timing how chips are recognized as slow */
export function createReceiver(
  config: Config,
  context: ReceiverContext,
  next: Consumer,
  timing?: ChipTiming,
): Component {
  return createScrapingReceiver({
    intervalMs: config.collection_interval,
    context,
    next,
    open: () => HwmonScraper.open(config, context, timing),
  });
}

async function probe({ sysfs, pairs }: Config): Promise<Probe> {
  const chips = await findChips(sysfs);
  if (chips.length > 0) {
    const names = chips.map(({ name, channels }) => `${name} (${channels.length})`);
    const hasEnergy = chips.some((chip) => measuresEnergy(chip, pairs));
    return { available: true, found: `sensors of ${names.join(', ')}`, remedies: [], hasEnergy };
  }
  const missing = `the driver of a chip with sensors, found by lm-sensors, where the machine has one`;
  const command = 'sudo sensors-detect';
  return { available: false, found: `no sensor in ${sysfs}/class/hwmon`, remedies: [{ missing, command }] };
}

/** Most chips only have temperatures and fans. */
function measuresEnergy(chip: Chip, pairs: Config['pairs']): boolean {
  const own = chip.channels.filter(({ type }) => type === 'power' || type === 'energy');
  const rails = pairRails(chip, pairs).map(({ voltage }) => voltage);
  return [...own, ...rails].some((meter) => describeDomain(chip, meter, meter.label).isLeftOut !== true);
}
