import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { deriveEnergyName, energyNames } from '../../src/model/energy-names.js';
import { ATTR_PROCESS_PID } from '../../src/model/semantic-conventions.js';
import { processCpuTime } from '../../src/model/usage-metrics.js';

export const schema = {
  metric: {
    doc: 'Metric by which groups are ranked: by the growth of a counter, or by the value of any other metric.',
    format: 'string',
    default: processCpuTime.name,
  },
  group_by: {
    doc: 'Attributes, of series or of their resources, that define a group. Series that have none of them are forwarded unchanged.',
    format: 'string_list',
    default: [ATTR_PROCESS_PID],
  },
  limit: {
    doc: 'Maximum number of groups with series of their own at a time. All others together are the group `other`.',
    format: 'int',
    default: 10,
    min: 1,
  },
  window: {
    doc: 'Time over which groups are compared: the half-life of the usage, so that usage of this age counts half.',
    format: 'duration',
    default: '30s',
    min: 1,
  },
  shown: {
    doc: 'Values of the first attribute of `group_by` whose groups always have series of their own, in addition to `limit`.',
    format: 'string_list',
    default: [],
  },
  keep: {
    doc: 'Resource attributes that `other` keeps: there is one group `other` for each combination of their values. `host.*` means all with this prefix.',
    format: 'string_list',
    default: ['host.*', 'os.*', 'cloud.*', 'k8s.cluster.*', 'k8s.node.*'],
  },
  sum_gauges: {
    doc: 'Gauges that are summed in `other`. It has no other gauges.',
    format: 'string_list',
    default: energyNames.map((name) => deriveEnergyName(name, 'power')),
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** @returns errors in the combination of settings */
export function checkConfig({ group_by }: Config): readonly string[] {
  const isValid = group_by.length > 0 && group_by.every((name) => name !== '');
  return isValid
    ? []
    : [`group_by: expected at least one name of an attribute, found ${JSON.stringify(group_by)}`];
}
