import type { Labels, LabelSource, PresetRule } from './preset-rule.js';

// Names and labels of Scaphandre 1.0 (github.com/hubblo-org/scaphandre, docs_src/references/metrics.md).

const isCpu = ({ own }: LabelSource) => own['hw.type'] === 'cpu';
const isMemory = ({ own }: LabelSource) => own['hw.type'] === 'memory';
/** Attribution has it only if no part of the host is measured. */
const isHost = ({ own }: LabelSource) => own['hw.type'] === 'host';

/** The number at the end of `cpu-package-0`, also for the package's memory or parts. */
function socketOf({ own }: LabelSource): string | undefined {
  const isPackage = own['hw.type'] === 'cpu';
  return /(\d+)$/u.exec(String(isPackage ? own['hw.id'] : (own['hw.parent'] ?? own['hw.id'])))?.[1];
}

const processLabels = ({ resource }: LabelSource): Labels => ({
  pid: resource['process.pid'],
  exe: resource['process.executable.name'],
  cmdline: resource['process.command_line'] ?? resource['process.executable.name'],
  container_id: resource['container.id'],
  kubernetes_pod_name: resource['k8s.pod.name'],
  kubernetes_pod_namespace: resource['k8s.namespace.name'],
});

/** Only for this collector, which replaces Scaphandre here. */
const selfLabels = ({ resource }: LabelSource): Labels | undefined =>
  resource['process.pid'] === process.pid ? {} : undefined;

function inMicrowatts(from: string, what: Pick<PresetRule, 'name' | 'description' | 'labels'>): PresetRule {
  return { from, unit: 'uW', isUnitNamed: true, ...what };
}

const loads = [
  ['one', '1m'],
  ['five', '5m'],
  ['fifteen', '15m'],
].map(([name, span]): PresetRule => ({
  from: `system.cpu.load_average.${span}`,
  name: `scaph_host_load_avg_${name}`,
  description: `Load average over ${span}`,
  isUnitNamed: true,
  labels: () => ({}),
}));

const memory = [
  ['process.memory.usage', 'memory_bytes', 'Resident memory'],
  ['process.memory.virtual', 'memory_virtual_bytes', 'Virtual memory'],
].flatMap(([from = '', name, what]): readonly PresetRule[] => [
  { from, name: `scaph_process_${name}`, description: `${what} of a process`, labels: processLabels },
  { from, name: `scaph_self_${name}`, description: `${what} of this collector`, labels: selfLabels },
]);

const whatHostIs =
  'Power of all packages and their memory, averaged over the window of the power processor; without a meter of them, of the whole host';

export const scaphandre: readonly PresetRule[] = [
  inMicrowatts('hw.power', {
    name: 'scaph_host_power_microwatts',
    description: whatHostIs,
    labels: (source) => (isCpu(source) || isMemory(source) ? {} : undefined),
  }),
  inMicrowatts('ledger.power', {
    name: 'scaph_host_power_microwatts',
    description: whatHostIs,
    labels: (source) => (isHost(source) ? {} : undefined),
  }),
  inMicrowatts('hw.power', {
    name: 'scaph_socket_power_microwatts',
    description: 'Power of a package',
    labels: (source) => (isCpu(source) ? { socket_id: socketOf(source) } : undefined),
  }),
  inMicrowatts('hw.power', {
    name: 'scaph_domain_power_microwatts',
    description: 'Power of a domain of a socket',
    labels: (source) => (isMemory(source) ? { domain_name: 'dram', socket_id: socketOf(source) } : undefined),
  }),
  inMicrowatts('rapl.power', {
    name: 'scaph_domain_power_microwatts',
    description: 'Power of a domain of a socket',
    labels: (source) => ({ domain_name: source.own['rapl.domain'], socket_id: socketOf(source) }),
  }),
  inMicrowatts('process.power', {
    name: 'scaph_process_power_consumption_microwatts',
    description:
      'Power attributed to a process by CPU time, without idle power. In Scaphandre, the share of CPU time in all of the power of the host',
    // Readings of packages and of memory arrive in separate tables: they cannot be summed.
    labels: (source) => {
      if (isCpu(source)) return { ...processLabels(source), domain: 'package' };
      if (isHost(source)) return { ...processLabels(source), domain: 'host' };
      return isMemory(source) ? { ...processLabels(source), domain: 'dram' } : undefined;
    },
  }),
  ...memory,
  ...loads,
];
