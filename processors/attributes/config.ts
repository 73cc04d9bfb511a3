import { createActionsSetting } from '../../src/component/attribute-actions.js';
import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  actions: createActionsSetting('Actions on the attributes of every series, applied in this order.'),
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
