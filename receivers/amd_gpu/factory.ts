import type { ReceiverFactory } from '../../src/component/component.js';
import { createCardReceiver, probeCards, type CardReceiver } from '../../src/gpu/card-receiver.js';
import * as gpu from '../../src/gpu/metrics.js';
import {
  gpuTime,
  hwEnergy,
  hwFanSpeed,
  hwStatus,
  hwTemperature,
  hwTemperatureLimit,
  hwVoltage,
  meterEnergy,
  processGpuTime,
} from '../../src/model/shared-metrics.js';
import { schema } from './config.js';

const receiver: CardReceiver = {
  name: 'AMD GPUs',
  module: new URL('./reading-thread.js', import.meta.url),
  remedies: [
    { missing: 'the driver amdgpu, where the machine has such a GPU', command: 'sudo modprobe amdgpu' },
  ],
};

/** Reads GPUs of AMD from sysfs: energy, power, temperatures, use, memory, throttling, and the processes that use them. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: [
    hwEnergy,
    meterEnergy,
    gpu.gpuPower,
    gpu.powerLimit,
    gpu.utilization,
    gpu.memoryUsage,
    gpu.memoryLimit,
    gpu.sharedMemoryUsage,
    gpu.sharedMemoryLimit,
    gpu.clockFrequency,
    gpu.throttled,
    gpu.throttleTime,
    hwTemperature,
    hwTemperatureLimit,
    hwVoltage,
    hwFanSpeed,
    hwStatus,
    gpuTime,
    processGpuTime,
    gpu.processMemory,
  ],
  probe: (config) => probeCards(receiver, config),
  create: (config, context, next) => createCardReceiver(receiver, config, [context, next]),
};
