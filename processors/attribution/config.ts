import type { ConfigOf, Schema } from '../../src/component/schema.js';

const hw_type = {
  doc: 'Kind of hardware that the entry matches. Unset: every kind.',
  format: 'string',
  default: null,
} as const;

export const schema = {
  views: {
    doc: 'What energy is attributed to; each view has its own metric: process, program, cgroup, unit, container, pod, namespace, job, user, service, vm.',
    format: 'string_list',
    default: ['process', 'program', 'unit', 'container', 'pod'],
  },
  custom_views: {
    doc: 'Additional views, each with its own metric.',
    format: 'list',
    items: {
      metric: { doc: 'Name of the metric, which must end in `.energy`.', format: 'string', default: null },
      group_by: {
        doc: 'Resource attributes that define a group. `a|b`: the first of them that a process has. Processes without the first entry are the group `none`.',
        format: 'string_list',
        default: [],
      },
      keep: {
        doc: 'Resource attributes that are published with a group if all its processes share their value. `k8s.pod.label.*`: all with this prefix.',
        format: 'string_list',
        default: [],
      },
    },
    default: [],
  },
  process_limit: {
    doc: 'Number of processes with series of their own at a time: those that used most. The energy of all others is one series, `other`. 0: every process.',
    format: 'int',
    default: 25,
    min: 0,
  },
  shown_pids: {
    doc: 'Processes that always have series of their own, besides the collector itself. For a replay, the collector that recorded, so that the same series are shown.',
    format: 'int_list',
    default: [],
  },
  group_limit: {
    doc: 'Number of groups with series of their own at a time in each other view: those that used most. The energy of all others is one series, `other`. 0: every group.',
    format: 'int',
    default: 50,
    min: 0,
  },
  min_energy: {
    doc: 'Joules that a process or group must have been charged before it has series of its own; until then its energy is in `other`. 0: none.',
    format: 'number',
    default: 0,
    min: 0,
  },
  process_metrics: {
    doc: 'Which `process.*` series of receivers are forwarded: those of processes with series of their own (`shown`), or `all`.',
    format: ['shown', 'all'],
    default: 'shown',
  },
  idle: {
    doc: 'Where idle energy goes: separate (a part of its own), proportional (to processes by CPU time), equal (to every process by lifetime).',
    format: ['separate', 'proportional', 'equal'],
    default: 'separate',
  },
  floor: {
    doc: 'Known power of a domain when nothing runs. The first entry that matches a domain applies.',
    format: 'list',
    items: {
      hw_type,
      hw_id: { doc: 'Domain that the entry matches. Unset: every domain.', format: 'string', default: null },
      power: { doc: 'Watts of each such domain.', format: 'number', default: null, min: 0 },
    },
    default: [],
  },
  weights: {
    doc: 'By what the energy of hardware is shared. The first entry that matches a domain applies. Unset: memory as `dram`, all else by time.',
    format: 'list',
    items: {
      hw_type,
      model: {
        doc: 'What energy is shared by: counters (events of `perf`), frequency_cpu_time (CPU time weighted by the frequency at which it ran), dram (memory traffic by `resctrl`, else cache misses by `perf`), cpu_time. What was not counted is shared by CPU time.',
        format: ['counters', 'frequency_cpu_time', 'dram', 'cpu_time'],
        default: 'counters',
      },
      gamma: {
        doc: 'For frequency_cpu_time: the exponent of the frequency. 1: by cycles.',
        format: 'number',
        default: 1,
        min: 0,
      },
      counters: {
        doc: 'Names of events (`perf.event.name`). With the model counters, several are weighted by the energy of each, which is learned; otherwise they are added up. Unset: `cycles` for frequency_cpu_time, `cache-misses` for dram.',
        format: 'string_list',
        default: [],
      },
      factors: {
        doc: 'For frequency_cpu_time: what a CPU second of each of `counters` costs in relation to the others at the same frequency, for machines with several kinds of cores. Unset: 1 each.',
        format: 'number_list',
        default: [],
      },
      max_error: {
        doc: 'Relative error of the energy that events explain up to which they are used. Above it, energy is shared by time.',
        format: 'number',
        default: 0.2,
        min: 0,
      },
    },
    default: [],
  },
  max_window: {
    doc: 'Maximum time between two readings of the usage or of a meter. Energy of a longer time stays unattributed, reason gap.',
    format: 'duration',
    default: '5m',
    min: 1000,
  },
  cpu_time_excludes: {
    doc: 'Kinds of hardware (`hw.type`) whose energy must not be divided by CPU time: without GPU time it stays unattributed, reason no_usage.',
    format: 'string_list',
    default: ['gpu', 'physical_disk', 'network'],
  },
  cpu_count: {
    doc: 'Logical CPUs of the measured machine, to tell quiet from busy. Unset: as `system.cpu.logical.count` reports, else those of this machine.',
    format: 'int',
    default: null,
    min: 1,
  },
  calibration_file: {
    doc: 'File that `joulemetry calibrate` wrote: losses and idle power of a remainder. Unset: a regression finds the losses.',
    format: 'path',
    default: null,
  },
  state_file: {
    doc: 'File that keeps learned floors across restarts. Unset: they are learned again.',
    format: 'path',
    default: null,
  },
  state_read_only: {
    doc: 'Only read `state_file`: another process keeps it.',
    format: 'boolean',
    default: false,
  },
  audit: {
    doc: 'A file with the complete sheet of every window, which `joulemetry audit` recomputes.',
    format: 'group',
    settings: {
      path: { doc: 'The file. It is continued where it exists.', format: 'path', default: null },
      max_megabytes: {
        doc: 'Size at which the file becomes a backup (`PATH.1`) and another one begins.',
        format: 'int',
        default: 100,
        min: 1,
      },
      max_backups: { doc: 'Number of backups that are kept.', format: 'int', default: 3, min: 0 },
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
