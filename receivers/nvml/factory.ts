import { existsSync, readFileSync } from 'node:fs';
import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Probe, Remedy } from '../../src/component/probe.js';
import { describeError, UnavailableError } from '../../src/errors.js';
import { GpuScraper } from '../../src/gpu/gpu-scraper.js';
import * as gpu from '../../src/gpu/metrics.js';
import type { Device, Reading } from '../../src/gpu/protocol.js';
import type { Metric } from '../../src/model/series.js';
import {
  hwEnergy,
  hwFanSpeedRatio,
  hwStatus,
  hwTemperature,
  hwTemperatureLimit,
  meterEnergy,
} from '../../src/model/shared-metrics.js';
import { gpuTime, processGpuTime } from '../../src/model/usage-metrics.js';
import { ReadingThread } from '../../src/scraping/reading-thread.js';
import { createScrapingReceiver } from '../../src/scraping/scraping-receiver.js';
import { schema, type Config } from './config.js';
import { findUseColumn } from './mig.js';
import type { ThreadOptions } from './thread-options.js';

const metrics: readonly Metric[] = [
  hwEnergy,
  meterEnergy,
  gpu.gpuPower,
  gpu.powerLimit,
  gpu.utilization,
  gpu.memoryUsage,
  gpu.memoryLimit,
  gpu.memoryReserved,
  gpu.memoryUtilization,
  gpu.clockFrequency,
  gpu.performanceState,
  gpu.throttled,
  gpu.throttleTime,
  gpu.gpuIo,
  gpu.contextCount,
  gpu.graphicsUtilization,
  gpu.smUtilization,
  gpu.smOccupancy,
  gpu.pipeUtilization,
  gpu.bandwidthUtilization,
  gpu.errors,
  hwStatus,
  hwTemperature,
  hwTemperatureLimit,
  hwFanSpeedRatio,
  gpuTime,
  processGpuTime,
  gpu.processUtilization,
  gpu.processMemory,
];

/** The nvml receiver: NVIDIA GPUs. */
export const factory: ReceiverFactory<typeof schema> = { schema, metrics, probe, create };

function create(config: Config, context: ReceiverContext, next: Consumer): Component {
  return createScrapingReceiver({
    intervalMs: config.collection_interval,
    context,
    next,
    open: async () => new GpuScraper(config, context, await openThread(config)),
  });
}

function openThread({ library, procfs, metrics: wanted }: Config) {
  const options: ThreadOptions = {
    library,
    procfs,
    hasProcesses: wanted.processes,
    hasProfiling: wanted.profiling,
    hasPcieSampling: wanted.pcie_sampling,
  };
  const module = new URL('./reading-thread.js', import.meta.url);
  return ReadingThread.open<Reading>({ name: 'NVML', module, options });
}

/** Without a driver, the library is not searched for. */
async function probe(config: Config): Promise<Probe> {
  if (!hasDriver(config)) return missDriver(config);
  try {
    const { thread, reading } = await openThread(config);
    await thread.close();
    return { available: true, found: describeDevices(reading.devices ?? []), remedies: [] };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    const found = describeError(error);
    return { available: false, found, remedies: findRemedies(found) };
  }
}

/** Whether the settings name another library than the default, or a driver is loaded, of Linux or WSL. */
function hasDriver({ library, procfs }: Config): boolean {
  const isChosen = library !== schema.library.default;
  return (
    isChosen ||
    [`${procfs}/driver/nvidia/version`, '/dev/nvidiactl', '/dev/dxg'].some((path) => existsSync(path))
  );
}

function missDriver({ procfs }: Config): Probe {
  const found = `no NVIDIA driver: ${procfs}/driver/nvidia/version does not exist`;
  const missing = 'the NVIDIA kernel driver, where the machine has such a GPU';
  const remedies = hasNvidiaDevice() ? [{ missing, command: 'sudo modprobe nvidia' }] : [];
  return { available: false, found, remedies };
}

/** Whether there is a PCI device of NVIDIA, of any kind. */
function hasNvidiaDevice(): boolean {
  try {
    return /^[0-9a-f]{4}\t10de/m.test(readFileSync('/proc/bus/pci/devices', 'latin1'));
  } catch {
    return false;
  }
}

function describeDevices(devices: readonly Device[]): string {
  const [first] = devices;
  const names = devices.map(({ name, parent }) => (parent === undefined ? name : `MIG ${name}`));
  const counted = [...new Set(names)].map((name) => {
    const count = names.filter((one) => one === name).length;
    return count === 1 ? name : `${count} x ${name}`;
  });
  const lacking = devices.some(({ parent, columns }) => parent === undefined && !columns.includes('energy'));
  const energy = lacking ? '; energy from power, since there is no energy counter' : '';
  const isUnused = devices.some((device) => device.isInstance && findUseColumn({ device }) < 0);
  const use = isUnused
    ? '; the energy of MIG instances stays unattributed (no_usage): profiling counters, which show how much each is used, are ' +
      'off or missing (they exist on Hopper and newer)'
    : '';
  return `driver ${first?.driverVersion}: ${counted.join(', ')}${energy}${use}`;
}

const remediesByReason: readonly (readonly [RegExp, Remedy])[] = [
  [
    /cannot open shared object file/i,
    {
      missing: 'libnvidia-ml.so.1, the library of the driver',
      command:
        'sudo apt install libnvidia-compute-VERSION, or in a container: docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=utility',
    },
  ],
  [
    /different versions/,
    { missing: 'a kernel driver of the version of the library, as after an update', command: 'sudo reboot' },
  ],
  [/driver not loaded/, { missing: 'the NVIDIA kernel driver', command: 'sudo modprobe nvidia' }],
  [
    /no permission|blocked by the operating system/,
    {
      missing: 'access to /dev/nvidiactl and /dev/nvidia0',
      command: 'sudo usermod -aG video "$USER", or in a container: docker run --gpus all',
    },
  ],
];

function findRemedies(found: string): readonly Remedy[] {
  return remediesByReason.filter(([reason]) => reason.test(found)).map(([, remedy]) => remedy);
}
