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
import { schema, type Config } from './config.js';
import { findChips } from './find-chips.js';
import { HwmonScraper } from './hwmon-scraper.js';

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
export const factory: ReceiverFactory<typeof schema> = { schema, metrics, yields: 'board', probe, create };

function create(config: Config, context: ReceiverContext, next: Consumer): Component {
  return createScrapingReceiver({
    intervalMs: config.collection_interval,
    context,
    next,
    open: () => HwmonScraper.open(config, context),
  });
}

async function probe({ sysfs }: Config): Promise<Probe> {
  const chips = await findChips(sysfs);
  const names = chips.map(({ name, channels }) => `${name} (${channels.length})`);
  if (chips.length > 0) return { available: true, found: `sensors of ${names.join(', ')}`, remedies: [] };
  const missing = `the driver of a chip with sensors, found by lm-sensors, where the machine has one`;
  const command = 'sudo sensors-detect';
  return { available: false, found: `no sensor in ${sysfs}/class/hwmon`, remedies: [{ missing, command }] };
}
