import type { ReceiverFactory } from '../component/component.js';
import type { Probe, Remedy } from '../component/probe.js';
import type { ConfigOf } from '../component/schema.js';
import { describeError, UnavailableError } from '../errors.js';
import type { Metric } from '../model/series.js';
import {
  hwEnergy,
  hwFanSpeed,
  hwStatus,
  hwTemperature,
  hwVoltage,
  meterEnergy,
} from '../model/shared-metrics.js';
import { gpuTime, processGpuTime } from '../model/usage-metrics.js';
import { ReadingThread } from '../scraping/reading-thread.js';
import { createScrapingReceiver } from '../scraping/scraping-receiver.js';
import type { CardThreadOptions } from './card-session.js';
import { cardSettings } from './card-settings.js';
import { createMissing, findCards, type CardFamily } from './cards.js';
import { GpuScraper } from './gpu-scraper.js';
import * as gpu from './metrics.js';
import type { Device, Reading } from './protocol.js';

type Config = ConfigOf<typeof cardSettings>;

/** A receiver that reads cards on a thread of its own, with its own settings. */
export interface CardReceiver<S extends typeof cardSettings> {
  readonly schema: S;
  /** Options of its thread, besides those that every such thread has. Plain data. */
  threadOptions?(config: ConfigOf<S>): object;
  /** The cards that it reads. */
  readonly family: CardFamily;
  /** The module that runs on the thread. */
  readonly module: URL;
  /** Remedies if there is no card. */
  readonly remedies: readonly Remedy[];
  /** Metrics that it may publish, besides those of all cards. */
  readonly metrics: readonly Metric[];
}

const commonMetrics: readonly Metric[] = [
  hwEnergy,
  meterEnergy,
  gpu.powerLimit,
  gpu.utilization,
  gpu.clockFrequency,
  gpu.throttled,
  hwTemperature,
  hwVoltage,
  hwFanSpeed,
  hwStatus,
  gpuTime,
  processGpuTime,
  gpu.processMemory,
];

export function createCardFactory<S extends typeof cardSettings>(
  receiver: CardReceiver<S>,
): ReceiverFactory<S> {
  return {
    schema: receiver.schema,
    metrics: [...commonMetrics, ...receiver.metrics],
    probe: (config) => probeCards(receiver, config),
    create: (config, context, next) =>
      createScrapingReceiver({
        intervalMs: config.collection_interval,
        context,
        next,
        open: async () => new GpuScraper(config, context, await openThread(receiver, config)),
      }),
  };
}

/** Whether a card can be read. */
async function probeCards<S extends typeof cardSettings>(
  receiver: CardReceiver<S>,
  config: ConfigOf<S> & Config,
): Promise<Probe> {
  try {
    const { thread, reading } = await openThread(receiver, config);
    await thread.close();
    return { available: true, found: describeDevices(reading.devices ?? []), remedies: [] };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return { available: false, found: describeError(error), remedies: receiver.remedies };
  }
}

/** @throws UnavailableError if there is no card, or none can be opened */
async function openThread<S extends typeof cardSettings>(
  { family, module, threadOptions }: CardReceiver<S>,
  config: ConfigOf<S> & Config,
) {
  const { sysfs, procfs, metrics } = config;
  // A machine without cards needs no thread.
  if (findCards(sysfs, family.drivers).length === 0) throw createMissing(family, sysfs);
  const common: CardThreadOptions = { sysfs, procfs, hasProcesses: metrics.processes };
  const options = { ...common, ...threadOptions?.(config) };
  return ReadingThread.open<Reading>({ name: `${family.vendor} GPUs`, module, options });
}

function describeDevices(devices: readonly Device[]): string {
  if (devices.length === 0) return 'GPUs that are switched off';
  return devices.map((device) => `${device.name} (${device.id})${describeEnergy(device)}`).join(', ');
}

function describeEnergy({ columns }: Device): string {
  if (columns.includes('energy')) return '';
  const hasPower = columns.some((column) => /^power\.(?!limit$)/u.test(column));
  return hasPower ? ', energy from power' : ', without energy';
}
