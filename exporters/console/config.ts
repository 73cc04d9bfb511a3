import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  when: {
    doc: 'When the summary is shown. `terminal`: only if standard output is a terminal. `always`: also in a file or pipe, one summary below the other.',
    format: ['terminal', 'always'],
    default: 'terminal',
  },
  interval: {
    doc: 'Time between two summaries. Power and CPU use are means over this time.',
    format: 'duration',
    default: '2s',
    min: 100,
  },
  list: {
    doc: 'View of `attribution` that is listed, in descending order of energy: `process`, `program`, `unit`, `container`, `pod`, `job`, `user` or `service`. If there is no energy of this view, processes are listed.',
    format: ['process', 'program', 'unit', 'container', 'pod', 'job', 'user', 'service'],
    default: 'program',
  },
  top: {
    doc: 'Maximum number of listed rows.',
    format: 'int',
    default: 10,
    min: 0,
    max: 1000,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
