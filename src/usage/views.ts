import { raplEnergy } from '../model/energy-domain.js';
import { groupEnergyNames } from '../model/energy-names.js';
import { ledgerEnergy, processEnergy } from '../model/ledger-metrics.js';
import {
  ATTR_CONTAINER_ID,
  ATTR_CONTAINER_IMAGE_NAME,
  ATTR_CONTAINER_IMAGE_TAGS,
  ATTR_CONTAINER_NAME,
  ATTR_CONTAINER_RUNTIME_NAME,
  ATTR_FLUX_JOB_ID,
  ATTR_K8S_CONTAINER_NAME,
  ATTR_K8S_CRONJOB_NAME,
  ATTR_K8S_DAEMONSET_NAME,
  ATTR_K8S_DEPLOYMENT_NAME,
  ATTR_K8S_JOB_NAME,
  ATTR_K8S_NAMESPACE_NAME,
  ATTR_K8S_NODE_NAME,
  ATTR_K8S_POD_NAME,
  ATTR_K8S_POD_UID,
  ATTR_K8S_REPLICASET_NAME,
  ATTR_K8S_STATEFULSET_NAME,
  ATTR_LINUX_CGROUP_PATH,
  ATTR_OAR_JOB_ID,
  ATTR_PBS_JOB_ID,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_OWNER,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_NAMESPACE,
  ATTR_SLURM_JOB_ACCOUNT,
  ATTR_SLURM_JOB_ID,
  ATTR_SLURM_JOB_NAME,
  ATTR_SLURM_JOB_PARTITION,
  ATTR_SLURM_JOB_USER,
  ATTR_SYSTEMD_OWNER_UID,
  ATTR_SYSTEMD_SLICE,
  ATTR_SYSTEMD_UNIT,
  ATTR_VM_NAME,
} from '../model/semantic-conventions.js';
import type { Metric } from '../model/series.js';
import { hostEnergy, hwEnergy } from '../model/shared-metrics.js';

/**
 * A definition of a partition of the workloads: workloads with the same values of certain resource attributes
 * form a group.
 */
export interface ViewDefinition {
  readonly metric: Metric;
  /**
   * The attributes that define a group: each a name, or alternatives `a|b`, of which the first that a workload
   * has counts. Workloads without the first attribute form the group `none`; further ones may be missing.
   * Empty: each workload is a group.
   */
  readonly groupBy: readonly string[];
  /**
   * Attributes that are also published, where all workloads of a group have the same value. `k8s.pod.label.*`:
   * all that start with this.
   */
  readonly keep: readonly string[];
  /** How long a group without workloads is kept, so that short-lived workloads do not create new series. */
  readonly graceNs: number;
}

const graceNs = 60e9;

function create(name: string, of: string, groupBy: readonly string[], keep: readonly string[] = []) {
  const description = `Energy attributed to ${of}`;
  const metric: Metric = { name, unit: 'J', description, kind: 'counter', valueType: 'double' };
  return { metric, groupBy, keep, graceNs };
}

const ofPod = [
  ATTR_K8S_POD_UID,
  ATTR_K8S_POD_NAME,
  ATTR_K8S_NAMESPACE_NAME,
  ATTR_K8S_NODE_NAME,
  ATTR_K8S_DEPLOYMENT_NAME,
  ATTR_K8S_REPLICASET_NAME,
  ATTR_K8S_STATEFULSET_NAME,
  ATTR_K8S_DAEMONSET_NAME,
  ATTR_K8S_JOB_NAME,
  ATTR_K8S_CRONJOB_NAME,
  'k8s.pod.label.*',
  'k8s.pod.annotation.*',
];

const ofContainer = [
  ATTR_CONTAINER_NAME,
  ATTR_CONTAINER_RUNTIME_NAME,
  ATTR_CONTAINER_IMAGE_NAME,
  ATTR_CONTAINER_IMAGE_TAGS,
  'container.label.*',
  ATTR_K8S_CONTAINER_NAME,
  ...ofPod,
];

const ofJob = [ATTR_SLURM_JOB_NAME, ATTR_SLURM_JOB_USER, ATTR_SLURM_JOB_ACCOUNT, ATTR_SLURM_JOB_PARTITION];
const jobId = [ATTR_SLURM_JOB_ID, ATTR_OAR_JOB_ID, ATTR_PBS_JOB_ID, ATTR_FLUX_JOB_ID].join('|');
const container = `${ATTR_CONTAINER_ID}|${ATTR_CONTAINER_NAME}`;

const builtIn: ReadonlyMap<string, ViewDefinition> = new Map([
  ['process', { metric: processEnergy, groupBy: [], keep: [], graceNs: 0 }],
  [
    'program',
    create(
      groupEnergyNames.program,
      'the processes of a program within its unit or container',
      [ATTR_PROCESS_EXECUTABLE_NAME, ATTR_SYSTEMD_UNIT, ATTR_SYSTEMD_OWNER_UID, container, ATTR_K8S_POD_UID],
      ofContainer,
    ),
  ],
  [
    'cgroup',
    create(
      groupEnergyNames.cgroup,
      'the processes of a cgroup, without those of the cgroups below it',
      [ATTR_LINUX_CGROUP_PATH],
      [
        ATTR_SYSTEMD_UNIT,
        ATTR_SYSTEMD_SLICE,
        ATTR_SYSTEMD_OWNER_UID,
        ATTR_CONTAINER_ID,
        ...ofContainer,
        ...jobId.split('|'),
        ...ofJob,
      ],
    ),
  ],
  [
    'unit',
    create(
      groupEnergyNames.unit,
      'the processes of a systemd unit',
      [ATTR_SYSTEMD_UNIT, ATTR_SYSTEMD_SLICE, ATTR_SYSTEMD_OWNER_UID, container],
      ofContainer,
    ),
  ],
  ['container', create(groupEnergyNames.container, 'the processes of a container', [container], ofContainer)],
  ['pod', create(groupEnergyNames.pod, 'the processes of a Kubernetes pod', [ATTR_K8S_POD_UID], ofPod)],
  [
    'namespace',
    create(groupEnergyNames.namespace, 'the processes of a Kubernetes namespace', [ATTR_K8S_NAMESPACE_NAME]),
  ],
  ['job', create(groupEnergyNames.job, 'the processes of a batch job', [jobId], ofJob)],
  ['user', create(groupEnergyNames.user, 'the processes of a user', [ATTR_PROCESS_OWNER])],
  [
    'service',
    create(groupEnergyNames.service, 'the processes of a service', [
      ATTR_SERVICE_NAME,
      ATTR_SERVICE_NAMESPACE,
    ]),
  ],
  ['vm', create(groupEnergyNames.vm, 'the processes of a virtual machine', [ATTR_VM_NAME])],
]);

/** Metrics that the built-in views publish. */
export const viewMetrics: readonly Metric[] = [...builtIn.values()].map(({ metric }) => metric);

/** The configured views. */
export interface ViewSettings {
  /** Names of built-in views. */
  readonly views: readonly string[];
  readonly custom_views: readonly {
    /** Undefined or null: not set, which `checkViews` reports. */
    readonly metric: string | null | undefined;
    readonly group_by: readonly string[];
    readonly keep: readonly string[];
  }[];
}

/** The views of a validated configuration: the built-in ones that it names, then its custom ones. */
export function findViews({ views, custom_views }: ViewSettings): readonly ViewDefinition[] {
  const named = views.flatMap((name) => builtIn.get(name) ?? []);
  const own = custom_views.map(({ metric, group_by, keep }) =>
    create(metric ?? '', `workloads with the same ${group_by.join(', ')}`, group_by, keep),
  );
  return [...named, ...own];
}

/** @returns the errors in the views of a configuration */
export function checkViews(config: ViewSettings): readonly string[] {
  const unknown = config.views
    .filter((view) => !builtIn.has(view))
    .map((view) => `views: expected some of ${[...builtIn.keys()].join(', ')}, found "${view}"`);
  return [...unknown, ...checkOwn(config), ...checkNames(findViews(config))];
}

function checkOwn({ custom_views }: ViewSettings): readonly string[] {
  return custom_views.flatMap(({ metric, group_by }, i) => [
    ...(/^[a-z][\w.]*\.energy$/i.test(metric ?? '')
      ? []
      : [`custom_views[${i}].metric: expected a name that ends in ".energy", found "${metric ?? ''}"`]),
    ...(group_by.length > 0 && group_by.every((name) => name.split('|').every((part) => part !== ''))
      ? []
      : [`custom_views[${i}].group_by: expected names of attributes, found ${JSON.stringify(group_by)}`]),
  ]);
}

/** Each metric is one partition: with two, its sum would be twice as large. */
function checkNames(views: readonly ViewDefinition[]): readonly string[] {
  const names = [hwEnergy, hostEnergy, raplEnergy, ledgerEnergy].map(({ name }) => name);
  return views.flatMap(({ metric: { name } }) => {
    if (names.includes(name))
      return [`views: expected a metric of its own for each view, found "${name}" twice`];
    names.push(name);
    return [];
  });
}
