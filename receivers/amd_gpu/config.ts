import type { Schema } from '../../src/component/schema.js';
import { cardSettings } from '../../src/gpu/card-settings.js';

export const schema = {
  ...cardSettings,
  library: {
    doc: 'The AMD SMI library: a file name that the dynamic linker finds, or a path; `auto`: one of ROCm 6 or 7, where there is one; `none`: sysfs only.',
    format: 'string',
    default: 'auto',
  },
} as const satisfies Schema;
