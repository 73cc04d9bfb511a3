import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  collection_interval: {
    doc: 'Time between two readings, at multiples of itself on the wall clock, 10ms to 1h.',
    format: 'duration',
    default: '1s',
    min: 10,
    max: 3_600_000,
  },
  sensors: {
    include: {
      doc: 'Sensors to read, by chip and label or name, `ina3221/VDD_IN` or `coretemp/temp1`; not set means all.',
      format: 'regexp',
      default: null,
    },
    exclude: { doc: 'Sensors to leave out, even if included.', format: 'regexp', default: null },
  },
  host_meter: {
    doc: 'The sensor that measures the whole machine and nothing else, by its `hw.id`. Not set: those that are known to.',
    format: 'string',
    default: null,
  },
  pairs: {
    doc: 'Voltage and current of one rail, where the chip is not known or measures something else: their product is its power.',
    format: 'list',
    items: {
      chip: { doc: 'The name of the chip, as in its file `name`.', format: 'string', default: '' },
      voltage: { doc: 'The number of the voltage: 1 of `in1_input`.', format: 'int', default: 1, min: 0 },
      current: { doc: 'The number of the current: 1 of `curr1_input`.', format: 'int', default: 1, min: 1 },
    },
    default: [],
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
