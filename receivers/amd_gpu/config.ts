import type { Schema } from '../../src/component/schema.js';
import { cardSettings } from '../../src/gpu/card-settings.js';
import type { CardFamily } from '../../src/gpu/cards.js';

export const family: CardFamily = { vendor: 'AMD', drivers: ['amdgpu'] };

export const schema = {
  ...cardSettings,
  library: {
    doc: 'The AMD SMI library: a file name that the dynamic linker finds, or a path. `auto`: that of ROCm 7 or 6 if it is installed. `none`: only sysfs is read.',
    format: 'string',
    default: 'auto',
  },
} as const satisfies Schema;
