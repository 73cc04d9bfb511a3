import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { groupEnergyNames } from '../../src/model/energy-names.js';
import { ATTR_SERVICE_NAME } from '../../src/model/semantic-conventions.js';
import { windowSetting } from '../../src/windows/window-rows.js';
import { presetNames } from './presets.js';

const unit = {
  name: {
    doc: 'Name of the unit, such as `request`, published as `work.unit`.',
    format: 'string',
    default: null,
  },
  metric: {
    doc: 'Counter or histogram that counts this work.',
    format: 'string',
    default: null,
  },
  value: {
    doc: 'For a histogram, what is counted: the number of its values (`count`), or their `sum`.',
    format: ['count', 'sum'],
    default: 'count',
  },
  minus: {
    doc: 'Counter whose growth is subtracted from this work, such as that of cached tokens.',
    format: 'string',
    default: null,
  },
  attributes: {
    doc: 'Attributes, of their own or of their resource, that series of the counter must have. Series without them are not used.',
    format: 'string_map',
    default: {},
  },
} as const satisfies Schema;

const workload = {
  energy: {
    doc: 'Energy counter of the workloads, such as `service.energy`, `container.energy` or `k8s.pod.energy`.',
    format: 'string',
    default: groupEnergyNames.service,
  },
  attributes: {
    doc: 'Attributes, of their own or of their resource, that series of the energy counter must have. Series without them are not used.',
    format: 'string_map',
    default: {},
  },
  match: {
    doc: 'Attributes, of series or of their resources, by which energy and counters are matched: each combination of their values is a workload. Empty: all series are one workload.',
    format: 'string_list',
    default: [ATTR_SERVICE_NAME],
  },
  preset: {
    doc: 'Predefined units of a server, in addition to `units`.',
    format: presetNames,
    default: 'none',
  },
  units: { doc: 'Units of work: one entry for each kind.', format: 'list', items: unit, default: [] },
  split_by: {
    doc: 'Attributes of the counters, such as a tenant or a model, by whose values the energy of each unit is divided further.',
    format: 'string_list',
    default: [],
  },
  background: {
    doc: 'Whether energy that is used at a constant rate, whatever the work, goes to the unit `background`.',
    format: 'boolean',
    default: false,
  },
  carbon: {
    doc: 'Publishes the emissions of each unit of work (SCI) as well. Unset: not published.',
    format: 'group',
    settings: {
      metric: {
        doc: 'Counter of the emissions of the workload. Unset: the name of the energy counter, with `.carbon` in place of `.energy`.',
        format: 'string',
        default: null,
      },
      embodied_share: {
        doc: 'Share of the machine that is reserved for the workload, from 0 to 1: its share of the embodied emissions.',
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
    doc: 'How long a window waits for series that have no reading at its end yet. It should be longer than the time between two readings of the counters.',
    format: 'duration',
    default: '2m',
    min: 1,
  },
  half_life: {
    doc: 'Age at which a window has half the weight in the regression that finds the energy of each unit.',
    format: 'duration',
    default: '30m',
    min: 1,
  },
  max_residual: {
    doc: 'Maximum `work.residual` at which energy is divided among several units. Above it, only the ratio of energy to work in each window is published.',
    format: 'number',
    default: 0.2,
    min: 0,
    max: 1,
  },
  workloads: {
    doc: 'Workloads whose energy is divided among units of work, with the counters of the units.',
    format: 'list',
    items: workload,
    default: [],
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type WorkloadConfig = Config['workloads'][number];
