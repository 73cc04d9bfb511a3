import type { AttributeValue } from '../../src/model/series.js';
import type { Labels } from './preset-rule.js';

/** The four labels of every point of ALUMET, and further ones. */
export function labelsOf(
  resource: readonly [kind: string, id: AttributeValue | undefined],
  others: Labels = {},
): Labels {
  const [kind, id] = resource;
  return {
    resource_kind: kind,
    resource_id: id === undefined ? '' : String(id),
    resource_consumer_kind: 'local_machine',
    resource_consumer_id: '',
    ...others,
  };
}

/** The labels of a metric of the whole machine. */
export const ofMachine = labelsOf(['local_machine', '']);

/** What the gauges of ALUMET that are differences have in common. */
export const sinceLast = 'since the point before, as in ALUMET; a point that is lost is lost';

/** Of metrics that processes and cgroups share. */
export const cpuTimeDescription = `CPU time of a process, or of a cgroup with those below it, ${sinceLast}`;
export const memoryDescription = 'Memory of a process or a cgroup';
