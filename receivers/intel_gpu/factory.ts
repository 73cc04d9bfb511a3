import { createCardFactory, type CardReceiver } from '../../src/gpu/card-receiver.js';
import { idleTime } from '../../src/gpu/metrics.js';
import { family, schema } from './config.js';

/** How the cards are read. */
export const receiver = {
  schema,
  threadOptions: ({ engines }) => ({ engines }),
  family,
  module: new URL('./reading-thread.js', import.meta.url),
  remedies: [
    {
      missing: 'the driver i915 or xe, where the machine has such a GPU',
      command: 'sudo modprobe xe || sudo modprobe i915',
    },
  ],
  metrics: [idleTime],
} as const satisfies CardReceiver<typeof schema>;

/** Reads GPUs of Intel: energy, use of engines, clocks, idle time, throttling, and the processes that use them. */
export const factory = createCardFactory(receiver);
