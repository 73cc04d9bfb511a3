import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { cardSettings } from '../../src/gpu/card-settings.js';

export const schema = {
  ...cardSettings,
  engines: {
    doc: 'Whose engines are counted by the PMU: those of `i915`; `all`, also those of xe, which keeps these GPUs awake; `none`.',
    format: ['i915', 'all', 'none'],
    default: 'i915',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
