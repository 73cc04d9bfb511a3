import type { Schema } from '../../src/component/schema.js';
import { cardSettings } from '../../src/gpu/card-settings.js';

export const schema = { ...cardSettings } as const satisfies Schema;
