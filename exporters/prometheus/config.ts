import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { webConfigSettings } from '../../src/config/endpoint.js';
import {
  ATTR_CONTAINER_ID,
  ATTR_CONTAINER_NAME,
  ATTR_FLUX_JOB_ID,
  ATTR_HOST_NAME,
  ATTR_K8S_CONTAINER_NAME,
  ATTR_K8S_NAMESPACE_NAME,
  ATTR_K8S_POD_NAME,
  ATTR_K8S_POD_UID,
  ATTR_LINUX_CGROUP_PATH,
  ATTR_OAR_JOB_ID,
  ATTR_PBS_JOB_ID,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_LINUX_CGROUP,
  ATTR_PROCESS_OWNER,
  ATTR_PROCESS_PID,
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_NAMESPACE,
  ATTR_SLURM_JOB_ID,
  ATTR_SYSTEMD_UNIT,
  ATTR_VM_NAME,
} from '../../src/model/semantic-conventions.js';

export const schema = {
  endpoint: {
    doc: 'Where the page is served, host:port; an empty host means every interface. Unset: localhost:9464, or nowhere, with a warning, where that port is taken.',
    format: 'endpoint',
    default: null,
  },
  path: {
    doc: "The page's path.",
    format: 'string',
    default: '/metrics',
  },
  ...webConfigSettings,
  identity_labels: {
    doc: 'Resource attributes that become labels of samples: who used something. Those of the machine itself, and the service of the collector, stand in `target_info` only. Where they leave two series alike, the attributes that differ are added.',
    format: 'string_list',
    default: [
      ATTR_PROCESS_PID,
      ATTR_PROCESS_EXECUTABLE_NAME,
      ATTR_PROCESS_OWNER,
      ATTR_PROCESS_LINUX_CGROUP,
      ATTR_LINUX_CGROUP_PATH,
      ATTR_SYSTEMD_UNIT,
      ATTR_CONTAINER_ID,
      ATTR_CONTAINER_NAME,
      ATTR_K8S_NAMESPACE_NAME,
      ATTR_K8S_POD_NAME,
      ATTR_K8S_POD_UID,
      ATTR_K8S_CONTAINER_NAME,
      ATTR_SLURM_JOB_ID,
      ATTR_OAR_JOB_ID,
      ATTR_PBS_JOB_ID,
      ATTR_FLUX_JOB_ID,
      ATTR_SERVICE_NAME,
      ATTR_SERVICE_NAMESPACE,
      ATTR_SERVICE_INSTANCE_ID,
      ATTR_VM_NAME,
      ATTR_HOST_NAME,
    ],
  },
  ended_for: {
    doc: 'How long an ended series stays on the page with its last value; at least two scrapes.',
    format: 'duration',
    default: '60s',
  },
  created_timestamps: {
    doc: 'Whether OpenMetrics pages say when each counter was 0 (`_created`), so that a Prometheus that reads start timestamps counts a series that a single scrape saw. About twice as many lines.',
    format: 'boolean',
    default: false,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
