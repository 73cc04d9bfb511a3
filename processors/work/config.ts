import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { groupEnergyNames } from '../../src/model/energy-names.js';
import { ATTR_SERVICE_NAME } from '../../src/model/semantic-conventions.js';
import { windowSetting } from '../../src/windows/window-rows.js';
import { presetNames } from './presets.js';

const unit = {
  name: { doc: 'What it is called in `work.unit`, such as `request`.', format: 'string', default: null },
  metric: {
    doc: 'Counter or histogram of this work.',
    format: 'string',
    default: null,
  },
  value: {
    doc: 'For a histogram, what counts as work: the number of its values (`count`), or their `sum`.',
    format: ['count', 'sum'],
    default: 'count',
  },
  minus: {
    doc: 'Counter whose growth is subtracted, such as cached tokens.',
    format: 'string',
    default: null,
  },
  attributes: {
    doc: 'Attributes that the series of the counters have, of their own or of their resource; others are left out.',
    format: 'string_map',
    default: {},
  },
} as const satisfies Schema;

const workload = {
  energy: {
    doc: 'Energy counter of the workloads: `service.energy`, `container.energy`, `k8s.pod.energy`, ...',
    format: 'string',
    default: groupEnergyNames.service,
  },
  attributes: {
    doc: 'Attributes that the series of the energy have, of their own or of their resource; others are left out.',
    format: 'string_map',
    default: {},
  },
  match: {
    doc: 'Attributes whose values energy and counters have in common, of their own or of their resource. Each combination of values is a workload; with an empty list there is one.',
    format: 'string_list',
    default: [ATTR_SERVICE_NAME],
  },
  preset: {
    doc: 'Units of a known server, before those of `units`.',
    format: presetNames,
    default: 'none',
  },
  units: { doc: 'Kinds of work.', format: 'list', items: unit, default: [] },
  split_by: {
    doc: 'Attributes of the counters for whose values the energy of a unit is divided further: a tenant, a model.',
    format: 'string_list',
    default: [],
  },
  background: {
    doc: 'Whether time is also treated as a counter: energy that is used at a constant rate goes to the unit `background`.',
    format: 'boolean',
    default: false,
  },
  carbon: {
    doc: 'Also the emissions of a unit of work (SCI).',
    format: 'group',
    settings: {
      metric: {
        doc: 'Counter of the emissions of the workload; unset: the name of the energy counter, with `.carbon` in place of `.energy`.',
        format: 'string',
        default: null,
      },
      embodied_share: {
        doc: 'Part of the machine that is reserved for the workload, used for its part of the embodied emissions.',
        format: 'number',
        default: 0,
        min: 0,
        max: 1,
      },
    },
    default: null,
  },
} as const satisfies Schema;

export const schema = {
  window: windowSetting,
  max_lag: {
    doc: 'How long a window waits for series that have no reading at its end yet. More than the time between two readings of the counters.',
    format: 'duration',
    default: '2m',
    min: 1,
  },
  half_life: {
    doc: 'Age at which a window counts half for the coefficients.',
    format: 'duration',
    default: '30m',
    min: 1,
  },
  max_residual: {
    doc: 'Residual above which the energy is not divided among several units, and only the ratio of each window is given.',
    format: 'number',
    default: 0.2,
    min: 0,
    max: 1,
  },
  workloads: {
    doc: 'Workloads whose energy is divided, and the counters by which it is divided.',
    format: 'list',
    items: workload,
    default: [],
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type WorkloadConfig = Config['workloads'][number];
