import {
  ATTR_CONTAINER_ID,
  ATTR_HW_ID,
  ATTR_HW_PARENT,
  ATTR_HW_TYPE,
  ATTR_K8S_NAMESPACE_NAME,
  ATTR_K8S_POD_NAME,
  ATTR_PROCESS_COMMAND_LINE,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_PID,
  ATTR_RAPL_DOMAIN,
} from '../../src/model/semantic-conventions.js';
import { hwPower } from '../../src/model/shared-metrics.js';
import { processMemoryUsage, processMemoryVirtual } from '../../src/model/usage-metrics.js';
import type { Labels, LabelSource, PresetRule } from './preset-rule.js';

// Names and labels of Scaphandre 1.0 (github.com/hubblo-org/scaphandre, docs_src/references/metrics.md).

const isCpu = ({ own }: LabelSource) => own[ATTR_HW_TYPE] === 'cpu';
const isMemory = ({ own }: LabelSource) => own[ATTR_HW_TYPE] === 'memory';
/** Attribution has it only if no part of the host is measured. */
const isHost = ({ own }: LabelSource) => own[ATTR_HW_TYPE] === 'host';

/** The number at the end of `cpu-package-0`, also for the package's memory or parts. */
function socketOf({ own }: LabelSource): string | undefined {
  const isPackage = own[ATTR_HW_TYPE] === 'cpu';
  return /(\d+)$/u.exec(String(isPackage ? own[ATTR_HW_ID] : (own[ATTR_HW_PARENT] ?? own[ATTR_HW_ID])))?.[1];
}

const processLabels = ({ resource }: LabelSource): Labels => ({
  pid: resource[ATTR_PROCESS_PID],
  exe: resource[ATTR_PROCESS_EXECUTABLE_NAME],
  cmdline: resource[ATTR_PROCESS_COMMAND_LINE] ?? resource[ATTR_PROCESS_EXECUTABLE_NAME],
  container_id: resource[ATTR_CONTAINER_ID],
  kubernetes_pod_name: resource[ATTR_K8S_POD_NAME],
  kubernetes_pod_namespace: resource[ATTR_K8S_NAMESPACE_NAME],
});

/** Only for this collector, which replaces Scaphandre here. */
const selfLabels = ({ resource }: LabelSource): Labels | undefined =>
  resource[ATTR_PROCESS_PID] === process.pid ? {} : undefined;

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
  [processMemoryUsage.name, 'memory_bytes', 'Resident memory'],
  [processMemoryVirtual.name, 'memory_virtual_bytes', 'Virtual memory'],
].flatMap(([from = '', name, what]): readonly PresetRule[] => [
  { from, name: `scaph_process_${name}`, description: `${what} of a process`, labels: processLabels },
  { from, name: `scaph_self_${name}`, description: `${what} of this collector`, labels: selfLabels },
]);

const whatHostIs =
  'Power of all packages and their memory, averaged over the window of the power processor; without a meter of them, of the whole host';

export const scaphandre: readonly PresetRule[] = [
  inMicrowatts(hwPower.name, {
    name: 'scaph_host_power_microwatts',
    description: whatHostIs,
    labels: (source) => (isCpu(source) || isMemory(source) ? {} : undefined),
  }),
  inMicrowatts('ledger.power', {
    name: 'scaph_host_power_microwatts',
    description: whatHostIs,
    labels: (source) => (isHost(source) ? {} : undefined),
  }),
  inMicrowatts(hwPower.name, {
    name: 'scaph_socket_power_microwatts',
    description: 'Power of a package',
    labels: (source) => (isCpu(source) ? { socket_id: socketOf(source) } : undefined),
  }),
  inMicrowatts(hwPower.name, {
    name: 'scaph_domain_power_microwatts',
    description: 'Power of a domain of a socket',
    labels: (source) => (isMemory(source) ? { domain_name: 'dram', socket_id: socketOf(source) } : undefined),
  }),
  inMicrowatts('rapl.power', {
    name: 'scaph_domain_power_microwatts',
    description: 'Power of a domain of a socket',
    labels: (source) => ({ domain_name: source.own[ATTR_RAPL_DOMAIN], socket_id: socketOf(source) }),
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
