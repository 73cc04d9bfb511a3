import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { cardSettings } from '../../src/gpu/card-settings.js';
import type { CardFamily } from '../../src/gpu/cards.js';

export const family: CardFamily = { vendor: 'Intel', drivers: ['i915', 'xe'] };

export const schema = {
  ...cardSettings,
  engines: {
    doc: 'GPUs whose engine time is read from the PMU. `i915`: those of this driver. `all`: also those of the driver xe, which then cannot sleep. `none`: no GPU.',
    format: ['i915', 'all', 'none'],
    default: 'i915',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
