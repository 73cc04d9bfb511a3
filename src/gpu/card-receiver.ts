import type { Component, ReceiverContext } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import type { Probe, Remedy } from '../component/probe.js';
import { describeError, UnavailableError } from '../errors.js';
import { ReadingThread } from '../scraping/reading-thread.js';
import { createScrapingReceiver } from '../scraping/scraping-receiver.js';
import type { CardThreadOptions } from './card-session.js';
import { GpuScraper, type GpuConfig } from './gpu-scraper.js';
import type { Device, Reading } from './protocol.js';

/** The settings of every receiver that reads cards. */
export interface CardConfig extends GpuConfig {
  readonly sysfs: string;
  readonly metrics: { readonly processes: boolean };
}

/** A receiver that reads cards on a thread of its own. */
export interface CardReceiver {
  /** For the names of threads, and for messages: `AMD GPUs`. */
  readonly name: string;
  /** The module of the thread. */
  readonly module: URL;
  /** What helps where there is no card. */
  readonly remedies: readonly Remedy[];
}

export function createCardReceiver(
  receiver: CardReceiver,
  config: CardConfig,
  [context, next]: readonly [ReceiverContext, Consumer],
): Component {
  return createScrapingReceiver({
    intervalMs: config.collection_interval,
    context,
    next,
    open: async () => new GpuScraper(config, context, await openThread(receiver, config)),
  });
}

/** Whether a card can be read. */
export async function probeCards(receiver: CardReceiver, config: CardConfig): Promise<Probe> {
  try {
    const { thread, reading } = await openThread(receiver, config);
    await thread.close();
    return { available: true, found: describeDevices(reading.devices ?? []), remedies: [] };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return { available: false, found: describeError(error), remedies: receiver.remedies };
  }
}

function openThread({ name, module }: CardReceiver, { sysfs, procfs, metrics }: CardConfig) {
  const options: CardThreadOptions = { sysfs, procfs, hasProcesses: metrics.processes };
  return ReadingThread.open<Reading>({ name, module, options });
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
