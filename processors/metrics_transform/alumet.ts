import type { AttributeValue } from '../../src/model/series.js';
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
  const pid = resource['process.pid'];
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
  return /(\d+)$/u.exec(String(own['hw.id']))?.[1];
}

const raplLabels: PresetRule['labels'] = (source) => {
  const type = source.own['hw.type'];
  if (type === 'cpu') return labelsOf(['cpu_package', numberOf(source)], { domain: 'package' });
  return type === 'memory' ? labelsOf(['dram', numberOf(source)], { domain: 'dram' }) : undefined;
};

/** ALUMET's names of overlapping domains. */
const domains: Readonly<Record<string, string>> = { core: 'pp0', uncore: 'pp1', psys: 'platform' };

const ofGpu: PresetRule['labels'] = ({ own }) =>
  own['hw.type'] === 'gpu' ? labelsOf(['gpu', own['hw.id']]) : undefined;

const sinceLast = 'since the point before, as in ALUMET; a point that is lost is lost';

export const alumet: readonly PresetRule[] = [
  {
    from: 'hw.energy',
    name: 'rapl_consumed_energy',
    description: `Energy of a domain ${sinceLast}`,
    isGrowth: true,
    labels: raplLabels,
  },
  {
    from: 'rapl.energy',
    name: 'rapl_consumed_energy',
    description: `Energy of a domain ${sinceLast}`,
    isGrowth: true,
    labels: (source) =>
      labelsOf(['cpu_package', numberOf(source)], {
        domain: domains[String(source.own['rapl.domain'])] ?? source.own['rapl.domain'],
      }),
  },
  {
    from: 'hw.energy',
    name: 'nvml_energy_consumption',
    description: `Energy of a GPU ${sinceLast}`,
    unit: 'mJ',
    isGrowth: true,
    labels: ofGpu,
  },
  {
    from: 'hw.gpu.power',
    name: 'nvml_instant_power',
    description: 'Power of a GPU',
    unit: 'mW',
    labels: ({ own }) => labelsOf(['gpu', own['hw.id']]),
  },
  {
    from: 'process.energy',
    name: 'attributed_energy',
    description: `Energy attributed to a process ${sinceLast}. In ALUMET, by the formula that the user writes`,
    isGrowth: true,
    labels: (source) => ofProcess(source, { domain: source.own['hw.type'] }),
  },
  {
    from: 'process.cpu.time',
    name: 'cpu_time_delta',
    description: `CPU time of a process ${sinceLast}`,
    unit: 'ns',
    isGrowth: true,
    labels: (source) => ofProcess(source, { kind: source.own['cpu.mode'] }),
  },
  {
    from: 'process.memory.usage',
    name: 'memory_usage',
    description: 'Memory of a process',
    labels: (source) => ofProcess(source, { kind: 'resident' }),
  },
  {
    from: 'system.cpu.time',
    name: 'kernel_cpu_time',
    description: `CPU time of the machine ${sinceLast}`,
    unit: 'ms',
    isGrowth: true,
    labels: ({ own }) => labelsOf(['local_machine', ''], { cpu_state: own['cpu.mode'] }),
  },
];
