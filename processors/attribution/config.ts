import type { ConfigOf, Schema } from '../../src/component/schema.js';

const hw_type = {
  doc: 'Kind of hardware (`hw.type`) that the entry matches. Unset: every kind.',
  format: 'string',
  default: null,
} as const;

export const schema = {
  views: {
    doc: 'Views to publish: process, program, cgroup, unit, container, pod, namespace, job, user, service, vm. Each divides all attributed energy among groups of one kind, and has a metric of its own.',
    format: 'string_list',
    default: ['process', 'program', 'unit', 'container', 'pod'],
  },
  custom_views: {
    doc: 'Additional views, each with a metric of its own.',
    format: 'list',
    items: {
      metric: { doc: 'Name of the metric, which must end in `.energy`.', format: 'string', default: null },
      group_by: {
        doc: 'Resource attributes that define a group: processes with the same values belong together. `a|b` means the first of the two that a process has. Processes that lack the attribute of the first entry are the group `none`.',
        format: 'string_list',
        default: [],
      },
      keep: {
        doc: 'Resource attributes that are published with a group if they have the same value in all its processes. `k8s.pod.label.*` means all with this prefix.',
        format: 'string_list',
        default: [],
      },
    },
    default: [],
  },
  process_limit: {
    doc: 'Maximum number of processes with series of their own at a time: those that used most energy. The energy of all others is in one series, `other`. 0: no limit.',
    format: 'int',
    default: 25,
    min: 0,
  },
  shown_pids: {
    doc: 'Pids of processes that always have series of their own, as the collector itself has. When a recording is replayed, give the pid of the collector that made it, to get the same series.',
    format: 'int_list',
    default: [],
  },
  group_limit: {
    doc: 'Maximum number of groups with series of their own at a time in each other view: those that used most energy. The energy of all others is in one series, `other`. 0: no limit.',
    format: 'int',
    default: 50,
    min: 0,
  },
  min_energy: {
    doc: 'Energy in joules that must be attributed to a process or group before it gets series of its own. Until then, its energy is in `other`. 0: it gets them at once.',
    format: 'number',
    default: 0,
    min: 0,
  },
  process_metrics: {
    doc: 'Which `process.*` series of receivers are forwarded. `shown`: those of processes that have energy series of their own. `all`: all.',
    format: ['shown', 'all'],
    default: 'shown',
  },
  idle: {
    doc: 'Where idle energy goes. `separate`: it stays a part of its own. `proportional`: to processes by their CPU time. `equal`: to all processes that exist, by the time for which they do.',
    format: ['separate', 'proportional', 'equal'],
    default: 'separate',
  },
  floor: {
    doc: 'Power of hardware domains when nothing runs, if it is known. The first entry that matches a domain applies.',
    format: 'list',
    items: {
      hw_type,
      hw_id: {
        doc: 'Domain (`hw.id`) that the entry matches. Unset: every domain.',
        format: 'string',
        default: null,
      },
      power: { doc: 'Power of each matching domain, in watts.', format: 'number', default: null, min: 0 },
    },
    default: [],
  },
  weights: {
    doc: 'Measures of use in proportion to which energy is shared. The first entry that matches a domain applies. Without an entry: `dram` for memory, GPU time for GPUs that report it, CPU time for everything else.',
    format: 'list',
    items: {
      hw_type,
      model: {
        doc: 'The measure of use. `counters`: events that `perf` counts. `frequency_cpu_time`: CPU time, weighted by the frequency of the CPU at that time. `dram`: memory traffic that `resctrl` counts, otherwise cache misses that `perf` counts. `cpu_time`: CPU time. Use that was not counted is shared by CPU time.',
        format: ['counters', 'frequency_cpu_time', 'dram', 'cpu_time'],
        default: 'counters',
      },
      gamma: {
        doc: 'For `frequency_cpu_time`: exponent of the frequency. 1: energy is shared by cycles.',
        format: 'number',
        default: 1,
        min: 0,
      },
      counters: {
        doc: 'Names of events (`perf.event.name`). With `counters`, each is weighted by its energy, which is learned; with other models, they are added up. Empty: `cycles` for `frequency_cpu_time`, `cache-misses` for `dram`; `counters` needs at least one.',
        format: 'string_list',
        default: [],
      },
      factors: {
        doc: 'For `frequency_cpu_time` on machines with several kinds of cores: relative energy of a CPU second at the same frequency, one number for each of `counters`. Empty: 1 for each.',
        format: 'number_list',
        default: [],
      },
      max_error: {
        doc: 'For `counters`: maximum relative error of the energy that the events predict. Above it, energy is shared by CPU time.',
        format: 'number',
        default: 0.2,
        min: 0,
      },
    },
    default: [],
  },
  max_window: {
    doc: 'Maximum time between two readings of the usage or of a meter. The energy of a longer time stays unattributed, with the reason `gap`.',
    format: 'duration',
    default: '5m',
    min: 1000,
  },
  cpu_time_excludes: {
    doc: 'Kinds of hardware (`hw.type`) whose energy is never shared by CPU time. If no other measure is available, it stays unattributed, with the reason `no_usage`.',
    format: 'string_list',
    default: ['gpu', 'physical_disk', 'network', 'power_rail'],
  },
  cpu_count: {
    doc: 'Number of logical CPUs of the measured machine, by which it is recognised as quiet. Unset: the value of `system.cpu.logical.count`, otherwise the number of this machine.',
    format: 'int',
    default: null,
    min: 1,
  },
  calibration_file: {
    doc: 'File written by `joulemetry calibrate`, with the losses and the idle power of a remainder. Unset: the losses are found by a regression.',
    format: 'path',
    default: null,
  },
  state_file: {
    doc: 'File that keeps learned floors across restarts. Unset: they are learned again.',
    format: 'path',
    default: null,
  },
  state_read_only: {
    doc: 'Whether `state_file` is only read, because another process writes it.',
    format: 'boolean',
    default: false,
  },
  root: {
    doc: 'Root folder of the machine, with `etc/machine-id`: the machine of a floor in `state_file`, if the resource of the meter has neither `host.id` nor `host.name`.',
    format: 'path',
    default: '/',
  },
  audit: {
    doc: 'Writes the complete calculation of every window to a file, which `joulemetry audit` checks. Unset: no file.',
    format: 'group',
    settings: {
      path: {
        doc: 'Path of the file. An existing file is continued.',
        format: 'path',
        reads: 'output',
        isOptional: true,
        default: null,
      },
      max_megabytes: {
        doc: 'Size in MiB at which the file becomes a backup (`PATH.1`) and a new one is started.',
        format: 'int',
        default: 100,
        min: 1,
      },
      max_backups: { doc: 'Number of backups to keep.', format: 'int', default: 3, min: 0 },
    },
    default: null,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** How the energy of a kind of hardware is to be shared. */
export interface WantedWeight {
  readonly model: Config['weights'][number]['model'];
  readonly gamma: number;
  readonly counters: readonly string[];
  readonly maxError: number;
  /** Whether the weight is configured, as opposed to the default. */
  readonly isSet: boolean;
}

/** Finds how the energy of a kind of hardware is to be shared. */
export function findWeight({ weights }: Config, hwType: string): WantedWeight {
  const set = weights.find((one) => (one.hw_type ?? hwType) === hwType);
  if (set) return { ...set, maxError: set.max_error, isSet: true };
  const model = hwType === 'memory' ? 'dram' : 'cpu_time';
  return { model, gamma: 1, counters: [], maxError: 0, isSet: false };
}

/** Names of all events whose costs are used to share energy, without duplicates. */
export function listEvents({ weights }: Config): readonly string[] {
  const own = weights.filter(({ model }) => model === 'counters');
  return [...new Set(own.flatMap(({ counters }) => counters))];
}

/** Names of the events that count cycles; none: no energy is shared by frequency. */
export function listCycles({ weights }: Config): readonly string[] {
  const own = weights.filter(({ model }) => model === 'frequency_cpu_time');
  return [...new Set(own.flatMap(({ counters }) => (counters.length > 0 ? counters : ['cycles'])))];
}

/**
 * Factor of a cycle of each of these events, such that the frequency of a workload to the power of gamma
 * includes the factor of the cores on which it ran.
 */
export function listCycleFactors({ weights }: Config): ReadonlyMap<string, number> {
  const {
    counters = [],
    factors = [],
    gamma = 1,
  } = weights.find(({ model }) => model === 'frequency_cpu_time') ?? {};
  return new Map(factors.map((factor, i) => [counters[i] ?? '', factor ** (1 / gamma)]));
}

/** Names of the events that count memory traffic; none: no energy is shared by it. */
export function listMisses(config: Config): readonly string[] {
  const own = config.weights.filter(({ model }) => model === 'dram');
  if (own.length === 0 && findWeight(config, 'memory').model !== 'dram') return [];
  const names = own.flatMap(({ counters }) => counters);
  return names.length > 0 ? [...new Set(names)] : ['cache-misses'];
}

type Weight = Config['weights'][number];

/** Validates the events by which energy is to be shared. */
export function checkWeights({ weights }: Config): readonly string[] {
  return weights.flatMap(({ model, counters }, i) => {
    const where = `weights[${i}].counters`;
    if (model === 'counters')
      return counters.length > 0 ? [] : [`${where}: expected names of events, found none`];
    // These events are counted once for all hardware.
    const first = weights.findIndex((one) => one.model === model);
    const wanted = String(weights[first]?.counters);
    if (String(counters) === wanted) return [];
    return [
      `${where}: expected the events of weights[${first}] (${wanted || 'none'}), found ${String(counters) || 'none'}`,
    ];
  });
}

/** Validates the cost factors for seconds on different kinds of cores. */
export function checkFactors({ weights }: Config): readonly string[] {
  // The factor of a cycle is the same for all hardware that is shared by frequency.
  const first = weights.find(({ model }) => model === 'frequency_cpu_time');
  return weights.flatMap((weight, i) => {
    const problem = findProblem(weight, first);
    return problem === undefined ? [] : [`weights[${i}].factors: expected ${problem}`];
  });
}

function findProblem(
  { model, counters, factors, gamma }: Weight,
  first: Weight | undefined,
): string | undefined {
  const found = factors.length > 0 ? String(factors) : 'none';
  if (model !== 'frequency_cpu_time') {
    return factors.length > 0 ? `none with model ${model}, found ${found}` : undefined;
  }
  const wanted = String(first?.factors);
  if (String(factors) !== wanted) return `${wanted || 'none'}, as the first ones are, found ${found}`;
  if (factors.length === 0) return undefined;
  if (factors.length !== counters.length) {
    return `one for each of counters, ${counters.length}, found ${factors.length}`;
  }
  if (!factors.every((factor) => factor > 0)) return `numbers above 0, found ${found}`;
  const isOne = gamma > 0 && gamma === first?.gamma;
  return isOne ? undefined : `the same gamma above 0 wherever there are factors, found ${gamma}`;
}
