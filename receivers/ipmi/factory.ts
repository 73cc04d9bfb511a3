import { accessSync, constants } from 'node:fs';
import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Probe, Remedy } from '../../src/component/probe.js';
import { describeCode, describeError, UnavailableError } from '../../src/errors.js';
import { ReadingThread } from '../../src/scraping/reading-thread.js';
import { createScrapingReceiver } from '../../src/scraping/scraping-receiver.js';
import { schema, type Config } from './config.js';
import { findDevicePath, listDevicePaths } from './ioctl-transport.js';
import { IpmiScraper, type ReadingSource } from './ipmi-scraper.js';
import { metrics } from './metrics.js';
import type { Opened, Reading, ThreadOptions } from './protocol.js';

/** The ipmi receiver: the power of the host and the sensors of its BMC. */
export const factory: ReceiverFactory<typeof schema> = { schema, metrics, probe, create };

/** Without DCMI, the records of all sensors are read first. Slow BMCs need this much time. */
const openTimeoutMs = 60_000;

function create(config: Config, context: ReceiverContext, next: Consumer): Component {
  return createReceiver({ config, context, next, open: openThread });
}

/** The parts of the receiver. */
export interface IpmiReceiverOptions {
  readonly config: Config;
  readonly context: ReceiverContext;
  readonly next: Consumer;
  /** Starts the thread that reads the BMC. */
  open(config: Config): Promise<{ readonly thread: ReadingSource; readonly reading: Opened }>;
}

export function createReceiver({ config, context, next, open }: IpmiReceiverOptions): Component {
  return createScrapingReceiver({
    intervalMs: config.collection_interval,
    context,
    next,
    async open() {
      const opened = await open(config);
      context.log.info(`Reading ${describeBmc(opened.reading)}`);
      return new IpmiScraper(config, context, opened);
    },
  });
}

async function openThread(config: Config) {
  const options: ThreadOptions = {
    device: config.device,
    sensorIntervalMs: config.metrics.sensors ? config.sensor_interval : Infinity,
    hostPowerSensor: config.host_power_sensor,
  };
  const module = new URL('./reading-thread.js', import.meta.url);
  const { thread, reading } = await ReadingThread.open<Reading>({
    name: 'IPMI',
    module,
    options,
    openTimeoutMs,
  });
  // The first reading also identifies the BMC.
  return { thread, reading: reading as Opened };
}

async function probe(config: Config): Promise<Probe> {
  const path = findDevicePath(config.device);
  if (path === undefined) return missDevice(config);
  const refused = findRefusal(path);
  if (refused !== undefined) {
    const found = `${path} may not be opened: ${refused}`;
    return { available: false, found, remedies: [createAccessRemedy(path)] };
  }
  try {
    const { thread, reading } = await openThread(config);
    await thread.close();
    const found = describeBmc(reading);
    return { available: true, found, remedies: [], hasEnergy: reading.host !== undefined };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return { available: false, found: describeError(error), remedies: [] };
  }
}

function missDevice({ device }: Config): Probe {
  const found = `no IPMI device: none of ${listDevicePaths(device).join(', ')} is there`;
  const missing =
    'the kernel modules ipmi_devintf and ipmi_si (ipmi_ssif where the BMC is on SMBus), where the machine has a BMC';
  return {
    available: false,
    found,
    remedies: [{ missing, command: 'sudo modprobe -a ipmi_devintf ipmi_si' }],
  };
}

function findRefusal(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return describeCode(error);
  }
}

function createAccessRemedy(path: string): Remedy {
  return { missing: `read and write access to ${path}`, command: `sudo setfacl -m "u:$(id -un):rw" ${path}` };
}

function describeBmc({ bmc, host }: Opened): string {
  const { manufacturer, product, firmware, ipmiVersion } = bmc;
  const power =
    host === undefined
      ? 'without the power of the host'
      : `with the power of the host by ${host === 'dcmi' ? 'DCMI' : `sensor "${host.name}"`}`;
  return `a BMC with IPMI ${ipmiVersion}, firmware ${firmware}, of manufacturer ${manufacturer}, product ${product}, ${power}`;
}
