import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  window: {
    doc: 'Time over which each power is averaged, as closely as the readings allow. Windows end at multiples of it on the wall clock.',
    format: 'duration',
    default: '1s',
    min: 1,
  },
  metrics: {
    doc: 'Energy counters to derive power from. Each gives a metric with .power in place of .energy.',
    format: 'string_list',
    default: [
      'hw.energy',
      'hw.host.energy',
      'process.energy',
      'program.energy',
      'linux.cgroup.energy',
      'systemd.unit.energy',
      'container.energy',
      'k8s.pod.energy',
      'k8s.namespace.energy',
      'job.energy',
      'user.energy',
      'service.energy',
      'vm.energy',
    ],
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
