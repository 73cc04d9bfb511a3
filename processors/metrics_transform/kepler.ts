import {
  ATTR_CONTAINER_ID,
  ATTR_CONTAINER_NAME,
  ATTR_CONTAINER_RUNTIME_NAME,
  ATTR_CPU_MODE,
  ATTR_ENERGY_INTERFACE,
  ATTR_HOST_NAME,
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_TYPE,
  ATTR_K8S_CONTAINER_NAME,
  ATTR_K8S_NAMESPACE_NAME,
  ATTR_K8S_POD_NAME,
  ATTR_K8S_POD_UID,
  ATTR_LEDGER_PART,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_EXECUTABLE_PATH,
  ATTR_PROCESS_PID,
  ATTR_RAPL_DOMAIN,
  ATTR_VM_NAME,
} from '../../src/model/semantic-conventions.js';
import { hostPower } from '../../src/model/shared-metrics.js';
import { processCpuTime } from '../../src/model/usage-metrics.js';
import { withoutNone, type Labels, type LabelSource, type PresetRule } from './preset-rule.js';

// Names and labels of Kepler 0.11 (github.com/sustainable-computing-io/kepler, docs/user/metrics.md).

/**
 * Kepler's zones for attributed energy: it has no sockets, and no zone for a GPU. `host` is not one of
 * Kepler's, which does not start without a meter of the CPUs; attribution has it only if no part of the host is
 * measured.
 */
const zones: Readonly<Record<string, string>> = { cpu: 'package', memory: 'dram', host: 'host' };

function zoneOf({ own }: LabelSource): string | undefined {
  return zones[String(own[ATTR_HW_TYPE])];
}

/** Labels of the energy of CPUs and memory. */
function inZone(labelsOf: (source: LabelSource) => Labels | undefined): PresetRule['labels'] {
  return (source) => {
    const zone = zoneOf(source);
    const labels = zone === undefined ? undefined : labelsOf(source);
    return labels && { ...labels, zone };
  };
}

const nodeLabels = ({ resource }: LabelSource): Labels => ({ node_name: resource[ATTR_HOST_NAME] });

const processLabels = ({ resource }: LabelSource): Labels => ({
  pid: resource[ATTR_PROCESS_PID],
  comm: resource[ATTR_PROCESS_EXECUTABLE_NAME],
  exe: resource[ATTR_PROCESS_EXECUTABLE_PATH],
  type: findType(resource),
  state: 'running',
  container_id: withoutNone(resource[ATTR_CONTAINER_ID]),
  vm_id: resource[ATTR_VM_NAME],
  node_name: resource[ATTR_HOST_NAME],
});

function findType(resource: LabelSource['resource']): string {
  if (resource[ATTR_VM_NAME] !== undefined) return 'vm';
  return withoutNone(resource[ATTR_CONTAINER_ID]) === undefined ? 'regular' : 'container';
}

const containerLabels = ({ resource }: LabelSource): Labels | undefined => {
  const id = withoutNone(resource[ATTR_CONTAINER_ID]) ?? withoutNone(resource[ATTR_CONTAINER_NAME]);
  return id === undefined
    ? undefined
    : {
        container_id: id,
        container_name: resource[ATTR_K8S_CONTAINER_NAME] ?? resource[ATTR_CONTAINER_NAME] ?? id,
        runtime: resource[ATTR_CONTAINER_RUNTIME_NAME],
        state: 'running',
        pod_id: resource[ATTR_K8S_POD_UID],
        node_name: resource[ATTR_HOST_NAME],
      };
};

const podLabels = ({ resource }: LabelSource): Labels | undefined => {
  const id = withoutNone(resource[ATTR_K8S_POD_UID]);
  return id === undefined
    ? undefined
    : {
        pod_id: id,
        pod_name: resource[ATTR_K8S_POD_NAME] ?? id,
        pod_namespace: resource[ATTR_K8S_NAMESPACE_NAME],
        state: 'running',
        node_name: resource[ATTR_HOST_NAME],
      };
};

const vmLabels = ({ resource }: LabelSource): Labels | undefined => {
  const id = withoutNone(resource[ATTR_VM_NAME]);
  return id === undefined
    ? undefined
    : { vm_id: id, vm_name: id, state: 'running', node_name: resource[ATTR_HOST_NAME] };
};

function gpuOf(labelsOf: (source: LabelSource) => Labels): PresetRule['labels'] {
  return (source) =>
    source.own[ATTR_HW_TYPE] === 'gpu'
      ? { ...labelsOf(source), gpu_uuid: source.own[ATTR_HW_ID], gpu_name: source.own[ATTR_HW_NAME] }
      : undefined;
}

/** Of all GPUs together: attribution publishes the energy of a workload by kind of hardware. */
function onGpus(labelsOf: (source: LabelSource) => Labels | undefined): PresetRule['labels'] {
  return (source) => (source.own[ATTR_HW_TYPE] === 'gpu' ? labelsOf(source) : undefined);
}

const isIdle = ({ own }: LabelSource) => own[ATTR_LEDGER_PART] === 'idle';
const activeGpu: PresetRule['labels'] = (source) => (isIdle(source) ? undefined : gpuOf(nodeLabels)(source));
const idleGpu: PresetRule['labels'] = (source) => (isIdle(source) ? gpuOf(nodeLabels)(source) : undefined);

const platformLabels: PresetRule['labels'] = ({ own, resource }) => ({
  source: own[ATTR_ENERGY_INTERFACE],
  node_name: resource[ATTR_HOST_NAME],
  source_id: own[ATTR_HW_ID],
  source_name: own[ATTR_HW_NAME],
});

/** Zones that contain others or are contained in them are not added up. */
const raplLabels: PresetRule['labels'] = (source) => ({
  ...nodeLabels(source),
  zone: source.own[ATTR_RAPL_DOMAIN],
});

/** All parts of the ledger. The energy of a meter that contains measured parts would be counted twice. */
const wholeHost = inZone((source) => (source.own[ATTR_HW_TYPE] === 'host' ? nodeLabels(source) : undefined));

const active = inZone((source) => (isIdle(source) ? undefined : nodeLabels(source)));
const idle = inZone((source) => (isIdle(source) ? nodeLabels(source) : undefined));

const whatNodeIs = 'of a zone, of all sockets';
const whatActiveIs =
  'beyond the idle part: attributed to processes or unattributed. In Kepler, what CPU utilization explains';
const whatIdleIs =
  'when nothing runs, known or learned as the floor. In Kepler, what CPU utilization does not explain';
const whatSharesAre =
  'attributed by CPU time, without idle energy. In Kepler, a share of the active energy by CPU time';

const whatGpuSharesAre =
  'on all GPUs, attributed by GPU time, without idle energy. In Kepler, for each GPU, by its utilization';

/** The same metric as joules and as watts. */
function energyAndPower(
  stem: string,
  from: string,
  { labels, what }: { readonly labels: PresetRule['labels']; readonly what: string },
): readonly PresetRule[] {
  const energy = `${from}.energy`;
  const power = `${from}.power`;
  return [
    { from: energy, name: `kepler_${stem}_joules_total`, description: `Energy ${what}`, labels },
    { from: power, name: `kepler_${stem}_watts`, description: `Power ${what}`, labels },
  ];
}

export const kepler: readonly PresetRule[] = [
  ...energyAndPower('node_cpu', 'hw', { labels: inZone(nodeLabels), what: whatNodeIs }),
  ...energyAndPower('node_cpu', 'rapl', { labels: raplLabels, what: whatNodeIs }),
  ...energyAndPower('node_cpu', 'ledger', { labels: wholeHost, what: whatNodeIs }),
  ...energyAndPower('node_cpu_active', 'ledger', { labels: active, what: whatActiveIs }),
  ...energyAndPower('node_cpu_idle', 'ledger', { labels: idle, what: whatIdleIs }),
  ...energyAndPower('node_gpu', 'hw', { labels: gpuOf(nodeLabels), what: 'of a GPU' }),
  ...energyAndPower('node_gpu_active', 'ledger', { labels: activeGpu, what: `of a GPU ${whatActiveIs}` }),
  ...energyAndPower('node_gpu_idle', 'ledger', { labels: idleGpu, what: `of a GPU ${whatIdleIs}` }),
  ...energyAndPower('process_gpu', 'process', { labels: onGpus(processLabels), what: whatGpuSharesAre }),
  ...energyAndPower('container_gpu', 'container', {
    labels: onGpus(containerLabels),
    what: whatGpuSharesAre,
  }),
  ...energyAndPower('pod_gpu', 'k8s.pod', { labels: onGpus(podLabels), what: whatGpuSharesAre }),
  {
    from: hostPower.name,
    name: 'kepler_platform_watts',
    description: 'Power of the whole host, by a meter of its board or its power supply',
    labels: platformLabels,
  },
  ...energyAndPower('process_cpu', 'process', { labels: inZone(processLabels), what: whatSharesAre }),
  ...energyAndPower('container_cpu', 'container', { labels: inZone(containerLabels), what: whatSharesAre }),
  ...energyAndPower('pod_cpu', 'k8s.pod', { labels: inZone(podLabels), what: whatSharesAre }),
  ...energyAndPower('vm_cpu', 'vm', { labels: inZone(vmLabels), what: whatSharesAre }),
  {
    from: processCpuTime.name,
    name: 'kepler_process_cpu_seconds_total',
    description: 'CPU time of a process, user and system',
    labels: processLabels,
  },
  {
    from: 'container.cpu.time',
    name: 'kepler_container_cpu_seconds_total',
    description: 'CPU time of a container, user and system',
    labels: containerLabels,
  },
  {
    // A formula can publish it: the rate of the busy time by the number of CPUs.
    from: 'system.cpu.utilization',
    name: 'kepler_node_cpu_usage_ratio',
    description: 'Share of the time of all CPUs during which they were busy',
    isUnitNamed: true,
    // With a mode it is a share of the busy or the idle time.
    labels: (source) => (ATTR_CPU_MODE in source.own ? undefined : nodeLabels(source)),
  },
];
