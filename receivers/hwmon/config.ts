import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  collection_interval: {
    doc: 'Time between two readings, which are taken at multiples of it on the wall clock; 10ms to 1h.',
    format: 'duration',
    default: '1s',
    min: 10,
    max: 3_600_000,
  },
  sensors: {
    include: {
      doc: 'Sensors to read, by chip and label, such as `ina3221/VDD_IN`, or by chip and name, such as `coretemp/temp1`. Unset: all.',
      format: 'regexp',
      default: null,
    },
    exclude: {
      doc: 'Sensors to leave out, even if `include` matches them.',
      format: 'regexp',
      default: null,
    },
  },
  host_meter: {
    doc: 'The sensor that measures the whole machine and nothing else, by its `hw.id`. Unset: a sensor that is known to do so.',
    format: 'string',
    default: null,
  },
  domains: {
    doc: 'Sensors that measure CPUs, memory or the GPU, on boards that are not known, and rails that supply more than that but are to be counted as such.',
    format: 'list',
    items: {
      sensor: { doc: 'The sensor, by its `hw.id`.', format: 'string', default: '' },
      hw_type: { doc: 'The hardware that it measures.', format: ['cpu', 'memory', 'gpu'], default: 'cpu' },
      number: { doc: 'Number of the socket of CPUs or memory.', format: 'int', default: 0, min: 0 },
    },
    default: [],
  },
  pairs: {
    doc: 'Voltage and current sensors that belong to the same rail, whose power is the product of the two. For chips that are not known, or are wired differently.',
    format: 'list',
    items: {
      chip: { doc: 'Name of the chip, as in its file `name`.', format: 'string', default: '' },
      voltage: {
        doc: 'Number of the voltage sensor, such as 1 for `in1_input`.',
        format: 'int',
        default: 1,
        min: 0,
      },
      current: {
        doc: 'Number of the current sensor, such as 1 for `curr1_input`.',
        format: 'int',
        default: 1,
        min: 1,
      },
    },
    default: [],
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
