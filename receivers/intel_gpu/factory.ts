import type { ReceiverFactory } from '../../src/component/component.js';
import { createCardReceiver, probeCards, type CardReceiver } from '../../src/gpu/card-receiver.js';
import * as gpu from '../../src/gpu/metrics.js';
import {
  gpuTime,
  hwEnergy,
  hwFanSpeed,
  hwStatus,
  hwTemperature,
  hwVoltage,
  meterEnergy,
  processGpuTime,
} from '../../src/model/shared-metrics.js';
import { schema } from './config.js';

const receiver: CardReceiver = {
  name: 'Intel GPUs',
  module: new URL('./reading-thread.js', import.meta.url),
  remedies: [
    {
      missing: 'the driver i915 or xe, where the machine has such a GPU',
      command: 'sudo modprobe xe || sudo modprobe i915',
    },
  ],
};

/** Reads GPUs of Intel: energy, use of engines, clocks, idle time, throttling, and the processes that use them. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: [
    hwEnergy,
    meterEnergy,
    gpu.powerLimit,
    gpu.utilization,
    gpu.clockFrequency,
    gpu.idleTime,
    gpu.throttled,
    hwTemperature,
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
