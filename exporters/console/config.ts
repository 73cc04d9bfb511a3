import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  when: {
    doc: 'When the summary is shown: `terminal` means only if standard output is a terminal; `always` also prints to a file or a pipe, one summary below the other.',
    format: ['terminal', 'always'],
    default: 'terminal',
  },
  interval: {
    doc: 'Time between two summaries. Watts and CPU use are means over this time.',
    format: 'duration',
    default: '2s',
    min: 100,
  },
  list: {
    doc: 'The view of `attribution` that is listed, ordered by energy. If there is no energy for this view, processes are listed.',
    format: ['process', 'program', 'unit', 'container', 'pod', 'job', 'user', 'service'],
    default: 'program',
  },
  top: {
    doc: 'Maximum number of rows listed.',
    format: 'int',
    default: 10,
    min: 0,
    max: 1000,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
