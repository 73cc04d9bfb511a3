import { gpuPower } from '../../src/gpu/metrics.js';
import { raplEnergy } from '../../src/model/energy-domain.js';
import { processEnergy } from '../../src/model/ledger-metrics.js';
import {
  ATTR_CPU_MODE,
  ATTR_HW_ID,
  ATTR_HW_TYPE,
  ATTR_PROCESS_PID,
  ATTR_RAPL_DOMAIN,
} from '../../src/model/semantic-conventions.js';
import type { AttributeValue } from '../../src/model/series.js';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import { cpuTime, processCpuTime, processMemoryUsage } from '../../src/model/usage-metrics.js';
import type { Labels, LabelSource, PresetRule } from './preset-rule.js';

// Names, units and labels of ALUMET 0.9 (github.com/alumet-dev/alumet, the plugins rapl, nvml and procfs).

/** The four labels of every point of ALUMET, and further ones. */
function labelsOf(
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

function ofProcess({ resource }: LabelSource, others: Labels = {}): Labels | undefined {
  const pid = resource[ATTR_PROCESS_PID];
  return pid === undefined
    ? undefined
    : {
        ...labelsOf(['local_machine', ''], others),
        resource_consumer_kind: 'process',
        resource_consumer_id: String(pid),
      };
}

/** The number at the end of `package-0` or `dram-0`. */
function numberOf({ own }: LabelSource): string | undefined {
  return /(\d+)$/u.exec(String(own[ATTR_HW_ID]))?.[1];
}

const raplLabels: PresetRule['labels'] = (source) => {
  const type = source.own[ATTR_HW_TYPE];
  if (type === 'cpu') return labelsOf(['cpu_package', numberOf(source)], { domain: 'package' });
  return type === 'memory' ? labelsOf(['dram', numberOf(source)], { domain: 'dram' }) : undefined;
};

/** ALUMET's names of overlapping domains. */
const domains: Readonly<Record<string, string>> = { core: 'pp0', uncore: 'pp1', psys: 'platform' };

const ofGpu: PresetRule['labels'] = ({ own }) =>
  own[ATTR_HW_TYPE] === 'gpu' ? labelsOf(['gpu', own[ATTR_HW_ID]]) : undefined;

const sinceLast = 'since the point before, as in ALUMET; a point that is lost is lost';

export const alumet: readonly PresetRule[] = [
  {
    from: hwEnergy.name,
    name: 'rapl_consumed_energy',
    description: `Energy of a domain ${sinceLast}`,
    isGrowth: true,
    labels: raplLabels,
  },
  {
    from: raplEnergy.name,
    name: 'rapl_consumed_energy',
    description: `Energy of a domain ${sinceLast}`,
    isGrowth: true,
    labels: (source) =>
      labelsOf(['cpu_package', numberOf(source)], {
        domain: domains[String(source.own[ATTR_RAPL_DOMAIN])] ?? source.own[ATTR_RAPL_DOMAIN],
      }),
  },
  {
    from: hwEnergy.name,
    name: 'nvml_energy_consumption',
    description: `Energy of a GPU ${sinceLast}`,
    unit: 'mJ',
    isGrowth: true,
    labels: ofGpu,
  },
  {
    from: gpuPower.name,
    name: 'nvml_instant_power',
    description: 'Power of a GPU',
    unit: 'mW',
    labels: ({ own }) => labelsOf(['gpu', own[ATTR_HW_ID]]),
  },
  {
    from: processEnergy.name,
    name: 'attributed_energy',
    description: `Energy attributed to a process ${sinceLast}. In ALUMET, by the formula that the user writes`,
    isGrowth: true,
    labels: (source) => ofProcess(source, { domain: source.own[ATTR_HW_TYPE] }),
  },
  {
    from: processCpuTime.name,
    name: 'cpu_time_delta',
    description: `CPU time of a process ${sinceLast}`,
    unit: 'ns',
    isGrowth: true,
    labels: (source) => ofProcess(source, { kind: source.own[ATTR_CPU_MODE] }),
  },
  {
    from: processMemoryUsage.name,
    name: 'memory_usage',
    description: 'Memory of a process',
    labels: (source) => ofProcess(source, { kind: 'resident' }),
  },
  {
    from: cpuTime.name,
    name: 'kernel_cpu_time',
    description: `CPU time of the machine ${sinceLast}`,
    unit: 'ms',
    isGrowth: true,
    labels: ({ own }) => labelsOf(['local_machine', ''], { cpu_state: own[ATTR_CPU_MODE] }),
  },
];
