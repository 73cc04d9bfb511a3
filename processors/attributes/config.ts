import { createActionsSetting } from '../../src/component/attribute-actions.js';
import type { ConfigOf, Schema } from '../../src/config/schema.js';

export const schema = {
  actions: createActionsSetting('What is done to the attributes of every series, in this order.'),
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
