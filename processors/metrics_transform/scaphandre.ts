import { raplEnergy } from '../../src/model/energy-domain.js';
import { ledgerEnergy } from '../../src/model/ledger-metrics.js';
import {
  ATTR_CONTAINER_ID,
  ATTR_CONTAINER_NAME,
  ATTR_CONTAINER_RUNTIME_NAME,
  ATTR_DISK_IO_DIRECTION,
  ATTR_HW_ID,
  ATTR_HW_PARENT,
  ATTR_HW_TYPE,
  ATTR_K8S_NAMESPACE_NAME,
  ATTR_K8S_NODE_NAME,
  ATTR_K8S_POD_NAME,
  ATTR_PROCESS_COMMAND_LINE,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_PID,
  ATTR_RAPL_DOMAIN,
  ATTR_VM_NAME,
} from '../../src/model/semantic-conventions.js';
import { hwEnergy, hwPower } from '../../src/model/shared-metrics.js';
import { processMemoryUsage, processMemoryVirtual } from '../../src/model/usage-metrics.js';
import { withoutNone, type Labels, type LabelSource, type PresetRule } from './preset-rule.js';
import { scaphandreHost } from './scaphandre-host.js';

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
  container_id: withoutNone(resource[ATTR_CONTAINER_ID]),
  container_names: withoutNone(resource[ATTR_CONTAINER_NAME]),
  container_scheduler: findScheduler(resource),
  // The only value that Scaphandre has.
  container_runtime: resource[ATTR_CONTAINER_RUNTIME_NAME] === 'containerd' ? 'containerd' : undefined,
  kubernetes_pod_name: withoutNone(resource[ATTR_K8S_POD_NAME]),
  kubernetes_pod_namespace: resource[ATTR_K8S_NAMESPACE_NAME],
  kubernetes_node_name: resource[ATTR_K8S_NODE_NAME],
  vmname: withoutNone(resource[ATTR_VM_NAME]),
});

function findScheduler(resource: LabelSource['resource']): string | undefined {
  if (withoutNone(resource[ATTR_K8S_POD_NAME]) !== undefined) return 'kubernetes';
  return resource[ATTR_CONTAINER_RUNTIME_NAME] === 'docker' ? 'docker' : undefined;
}

/** Only for this collector, which replaces Scaphandre here. */
const selfLabels = ({ resource }: LabelSource): Labels | undefined =>
  resource[ATTR_PROCESS_PID] === process.pid ? {} : undefined;

const hostLabels: PresetRule['labels'] = (source) => (isCpu(source) || isMemory(source) ? {} : undefined);
const wholeHostLabels: PresetRule['labels'] = (source) => (isHost(source) ? {} : undefined);
const socketLabels: PresetRule['labels'] = (source) =>
  isCpu(source) ? { socket_id: socketOf(source) } : undefined;
const memoryLabels: PresetRule['labels'] = (source) =>
  isMemory(source) ? { domain_name: 'dram', socket_id: socketOf(source) } : undefined;
const isPlatform = ({ own }: LabelSource) => own[ATTR_RAPL_DOMAIN] === 'psys';
/** The platform contains the sockets: it is a metric of its own. */
const domainLabels: PresetRule['labels'] = (source) =>
  isPlatform(source) ? undefined : { domain_name: source.own[ATTR_RAPL_DOMAIN], socket_id: socketOf(source) };

type Named = Pick<PresetRule, 'name' | 'description' | 'labels'>;

function inMicrowatts(from: string, what: Named): PresetRule {
  return { from, unit: 'uW', isUnitNamed: true, ...what };
}

function inMicrojoules(from: string, what: Named): PresetRule {
  return { from, unit: 'uJ', isUnitNamed: true, hasNoTotal: true, ...what };
}

/** The names of a power and of its energy. */
type Names = readonly [power: string, energy: string];

const ofHardware: Names = [hwPower.name, hwEnergy.name];
const ofRapl: Names = ['rapl.power', raplEnergy.name];
const ofLedger: Names = ['ledger.power', ledgerEnergy.name];

/** What a meter measures, as a power and as a count of energy. */
function measured(
  stem: string,
  [power, counter]: Names,
  { of, labels }: { readonly of: string; readonly labels: PresetRule['labels'] },
): readonly PresetRule[] {
  return [
    inMicrowatts(power, {
      name: `scaph_${stem}_power_microwatts`,
      description: `Power of ${of}, averaged over the window of the power processor`,
      labels,
    }),
    inMicrojoules(counter, {
      name: `scaph_${stem}_energy_microjoules`,
      description: `Energy of ${of}`,
      labels,
    }),
  ];
}

const whatHostIs = 'all packages and their memory or, without a meter of them, of the whole host';

const energy: readonly PresetRule[] = [
  ...measured('host', ofHardware, { of: whatHostIs, labels: hostLabels }),
  ...measured('host', ofLedger, { of: whatHostIs, labels: wholeHostLabels }),
  ...measured('socket', ofHardware, { of: 'a package', labels: socketLabels }),
  ...measured('domain', ofHardware, { of: 'a domain of a socket', labels: memoryLabels }),
  ...measured('domain', ofRapl, { of: 'a domain of a socket', labels: domainLabels }),
  inMicrojoules(raplEnergy.name, {
    name: 'scaph_host_rapl_psys_microjoules',
    description: 'Energy of the platform (psys), which contains the packages',
    labels: (source) => (isPlatform(source) ? {} : undefined),
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
];

const memory = [
  [processMemoryUsage.name, 'memory_bytes', 'Resident memory'],
  [processMemoryVirtual.name, 'memory_virtual_bytes', 'Virtual memory'],
].flatMap(([from = '', name, what]): readonly PresetRule[] => [
  { from, name: `scaph_process_${name}`, description: `${what} of a process`, labels: processLabels },
  { from, name: `scaph_self_${name}`, description: `${what} of this collector`, labels: selfLabels },
]);

const disk = ['read', 'write'].flatMap((direction): readonly PresetRule[] => {
  const from = 'process.disk.io';
  const labels: PresetRule['labels'] = (source) =>
    source.own[ATTR_DISK_IO_DIRECTION] === direction ? processLabels(source) : undefined;
  const what = direction === 'read' ? 'read from disks' : 'written to disks';
  return [
    {
      from,
      name: `scaph_process_disk_total_${direction}_bytes`,
      description: `Bytes that a process has ${what}`,
      hasNoTotal: true,
      labels,
    },
    {
      from,
      name: `scaph_process_disk_${direction}_bytes`,
      description: `Bytes that a process has ${what} since the point before`,
      isGrowth: true,
      labels,
    },
  ];
});

/** A formula can publish it: the rate of CPU time by the number of CPUs. */
const utilization: readonly PresetRule[] = [
  { name: 'scaph_process_cpu_usage_percentage', labels: processLabels },
  { name: 'scaph_self_cpu_usage_percent', labels: selfLabels },
].map(({ name, labels }) => ({
  from: 'process.cpu.utilization',
  name,
  description: 'CPU time in percent of that of all CPUs',
  unit: '%',
  isUnitNamed: true,
  labels,
}));

export const scaphandre: readonly PresetRule[] = [
  ...energy,
  ...memory,
  ...disk,
  ...utilization,
  ...scaphandreHost,
];
