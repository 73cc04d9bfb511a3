import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { serverNames } from '../../src/energy/power-models.js';
import { intervalSetting } from '../../src/scraping/scraping-receiver.js';

export const schema = {
  collection_interval: intervalSetting,
  processor: {
    doc: 'Micro-architecture of the processors, which selects idle and maximum power from the table of servers in the README of `estimation`. Ignored if both powers are set.',
    format: serverNames,
    default: 'average',
  },
  idle_power: {
    doc: 'Power of this machine when nothing runs, in watts; set it together with `max_power`. Unset: given by `processor`.',
    format: 'number',
    default: null,
    min: 0,
  },
  max_power: {
    doc: 'Power of this machine when all CPUs are busy, in watts; set it together with `idle_power`. Unset: given by `processor`.',
    format: 'number',
    default: null,
    min: 0,
  },
  procfs: { doc: 'Where procfs is mounted.', format: 'path', default: '/proc' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
