import { accessSync, constants } from 'node:fs';
import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Probe } from '../../src/component/probe.js';
import { describeError, findErrorCode, UnavailableError } from '../../src/errors.js';
import { hostEnergy, hostPower, hwTemperature, meterResolution } from '../../src/model/shared-metrics.js';
import { createMeterReceiver, type RemoteMeter } from '../../src/scraping/meter-receiver.js';
import { meterMetrics } from '../../src/scraping/meter-table.js';
import { ReadingThread } from '../../src/scraping/reading-thread.js';
import { schema, type Config } from './config.js';
import { devicePaths, findDevice } from './mailbox.js';
import { openPmic } from './pmic.js';

const unused = new Set([meterResolution.name, hwTemperature.name, hostEnergy.name, hostPower.name]);

/** The rpi_pmic receiver: the rails of a Raspberry Pi 5. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: meterMetrics.filter(({ name }) => !unused.has(name)),
  probe: (config) => probe(config),
  create: (config, context, next) =>
    createReceiver(context, next, { ...config, open: () => openPmicOf(config) }),
};

/** Options of a receiver. */
export interface PmicReceiverOptions {
  readonly collection_interval: number;
  open(): RemoteMeter;
}

/** Publishes the readings of a PMIC. */
export function createReceiver(
  context: ReceiverContext,
  next: Consumer,
  { collection_interval: intervalMs, open }: PmicReceiverOptions,
): Component {
  return createMeterReceiver({
    intervalMs,
    context,
    next,
    items: [{ measures: 'other', channels: [] } as const],
    interface: 'rpi_pmic',
    open,
  });
}

/** @throws UnavailableError if there is no device */
function openPmicOf({ device }: Config) {
  const path = findDevice(device);
  if (path === undefined) throw new UnavailableError(describeMissing());
  return openPmic(() => openThread(path));
}

async function openThread(path: string) {
  const module = new URL('./reading-thread.js', import.meta.url);
  const { thread } = await ReadingThread.open<string>({ name: 'PMIC', module, options: path });
  return thread;
}

function describeMissing(): string {
  return `expected one of ${devicePaths.join(', ')}, found none: this is not a Raspberry Pi, or the interface of its firmware is not available`;
}

function probe({ device }: Config): Probe {
  const path = findDevice(device);
  if (path === undefined) return { available: false, found: describeMissing(), remedies: [] };
  try {
    accessSync(path, constants.R_OK);
    return { available: true, found: path, remedies: [] };
  } catch (error) {
    return explainAccess(path, error);
  }
}

/** Why a device cannot be opened, with the remedy if group membership would help. */
export function explainAccess(path: string, error: unknown): Probe {
  const remedy = { missing: `access to ${path}`, command: 'sudo usermod -aG video "$USER"' };
  const isDenied = findErrorCode(error) === 'EACCES';
  return { available: false, found: describeError(error), remedies: isDenied ? [remedy] : [] };
}
