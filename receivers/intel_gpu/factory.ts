import { createCardFactory } from '../../src/gpu/card-receiver.js';
import { idleTime } from '../../src/gpu/metrics.js';
import { schema } from './config.js';

/** Reads GPUs of Intel: energy, use of engines, clocks, idle time, throttling, and the processes that use them. */
export const factory = createCardFactory({
  schema,
  threadOptions: ({ engines }) => ({ engines }),
  name: 'Intel GPUs',
  module: new URL('./reading-thread.js', import.meta.url),
  remedies: [
    {
      missing: 'the driver i915 or xe, where the machine has such a GPU',
      command: 'sudo modprobe xe || sudo modprobe i915',
    },
  ],
  metrics: [idleTime],
});
