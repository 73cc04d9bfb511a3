import { createCardFactory, type CardReceiver } from '../../src/gpu/card-receiver.js';
import * as gpu from '../../src/gpu/metrics.js';
import { hwTemperatureLimit } from '../../src/model/shared-metrics.js';
import { family, schema } from './config.js';

/** How the cards are read. */
export const receiver = {
  schema,
  threadOptions: ({ library }) => ({ library }),
  family,
  module: new URL('./reading-thread.js', import.meta.url),
  remedies: [
    { missing: 'the driver amdgpu, where the machine has such a GPU', command: 'sudo modprobe amdgpu' },
  ],
  metrics: [
    gpu.gpuPower,
    gpu.memoryUsage,
    gpu.memoryLimit,
    gpu.sharedMemoryUsage,
    gpu.sharedMemoryLimit,
    gpu.throttleTime,
    hwTemperatureLimit,
  ],
} as const satisfies CardReceiver<typeof schema>;

/** Reads GPUs of AMD by AMD SMI and from sysfs: energy, power, temperatures, use, memory, throttling, and the processes that use them. */
export const factory = createCardFactory(receiver);
