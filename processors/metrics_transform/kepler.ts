import type { Labels, LabelSource, PresetRule } from './preset-rule.js';

// Names and labels of Kepler 0.11 (github.com/sustainable-computing-io/kepler, docs/user/metrics.md).

/**
 * Kepler's zones for attributed energy: it has no sockets, and no zone for a GPU. `host` is not one of
 * Kepler's, which does not start without a meter of the CPUs; attribution has it only if no part of the host is
 * measured.
 */
const zones: Readonly<Record<string, string>> = { cpu: 'package', memory: 'dram', host: 'host' };

function zoneOf({ own }: LabelSource): string | undefined {
  return zones[String(own['hw.type'])];
}

/** Labels of the energy of CPUs and memory. */
function inZone(labelsOf: (source: LabelSource) => Labels | undefined): PresetRule['labels'] {
  return (source) => {
    const zone = zoneOf(source);
    const labels = zone === undefined ? undefined : labelsOf(source);
    return labels && { ...labels, zone };
  };
}

const nodeLabels = ({ resource }: LabelSource): Labels => ({ node_name: resource['host.name'] });

const processLabels = ({ resource }: LabelSource): Labels => ({
  pid: resource['process.pid'],
  comm: resource['process.executable.name'],
  exe: resource['process.executable.path'],
  type: findType(resource),
  state: 'running',
  container_id: known(resource['container.id']),
  vm_id: resource['vm.name'],
  node_name: resource['host.name'],
});

function findType(resource: LabelSource['resource']): string {
  if (resource['vm.name'] !== undefined) return 'vm';
  return known(resource['container.id']) === undefined ? 'regular' : 'container';
}

/** Workloads without a container, a pod or a virtual machine are the group `none` here, and do not exist in Kepler. */
function known(value: LabelSource['resource'][string] | undefined) {
  return value === 'none' ? undefined : value;
}

const containerLabels = ({ resource }: LabelSource): Labels | undefined => {
  const id = known(resource['container.id']) ?? known(resource['container.name']);
  return id === undefined
    ? undefined
    : {
        container_id: id,
        container_name: resource['k8s.container.name'] ?? resource['container.name'] ?? id,
        runtime: resource['container.runtime.name'],
        state: 'running',
        pod_id: resource['k8s.pod.uid'],
        node_name: resource['host.name'],
      };
};

const podLabels = ({ resource }: LabelSource): Labels | undefined => {
  const id = known(resource['k8s.pod.uid']);
  return id === undefined
    ? undefined
    : {
        pod_id: id,
        pod_name: resource['k8s.pod.name'] ?? id,
        pod_namespace: resource['k8s.namespace.name'],
        state: 'running',
        node_name: resource['host.name'],
      };
};

const vmLabels = ({ resource }: LabelSource): Labels | undefined => {
  const id = known(resource['vm.name']);
  return id === undefined
    ? undefined
    : { vm_id: id, vm_name: id, state: 'running', node_name: resource['host.name'] };
};

function gpuOf(labelsOf: (source: LabelSource) => Labels): PresetRule['labels'] {
  return (source) =>
    source.own['hw.type'] === 'gpu'
      ? { ...labelsOf(source), gpu_uuid: source.own['hw.id'], gpu_name: source.own['hw.name'] }
      : undefined;
}

/** Zones that contain others or are contained in them are not added up. */
const raplLabels: PresetRule['labels'] = (source) => ({
  ...nodeLabels(source),
  zone: source.own['rapl.domain'],
});

/** All parts of the ledger. The energy of a meter that contains measured parts would be counted twice. */
const wholeHost = inZone((source) => (source.own['hw.type'] === 'host' ? nodeLabels(source) : undefined));

const active = inZone((source) => (source.own['ledger.part'] === 'idle' ? undefined : nodeLabels(source)));
const idle = inZone((source) => (source.own['ledger.part'] === 'idle' ? nodeLabels(source) : undefined));

const whatNodeIs = 'of a zone, of all sockets';
const whatActiveIs =
  'beyond the idle part: attributed to processes or unattributed. In Kepler, what CPU utilization explains';
const whatIdleIs =
  'when nothing runs, known or learned as the floor. In Kepler, what CPU utilization does not explain';
const whatSharesAre =
  'attributed by CPU time, without idle energy. In Kepler, a share of the active energy by CPU time';

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
  ...energyAndPower('process_cpu', 'process', { labels: inZone(processLabels), what: whatSharesAre }),
  ...energyAndPower('container_cpu', 'container', { labels: inZone(containerLabels), what: whatSharesAre }),
  ...energyAndPower('pod_cpu', 'k8s.pod', { labels: inZone(podLabels), what: whatSharesAre }),
  ...energyAndPower('vm_cpu', 'vm', { labels: inZone(vmLabels), what: whatSharesAre }),
  {
    from: 'process.cpu.time',
    name: 'kepler_process_cpu_seconds_total',
    description: 'CPU time of a process, user and system',
    labels: processLabels,
  },
];
