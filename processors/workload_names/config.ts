import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { clientSettings } from '../../src/http/client.js';

/**
 * The possible values of `sources`, in order of precedence: where two sources know the same attribute, the
 * first one counts.
 */
export const sourceNames = ['docker', 'podman', 'api_server', 'kubelet', 'cri', 'slurm'] as const;

export type SourceName = (typeof sourceNames)[number];

const { proxy_url: proxyUrl, credentials, tls } = clientSettings;

const kubernetesClient = {
  credentials: {
    ...credentials,
    bearer_token_file: {
      ...credentials.bearer_token_file,
      doc: `${credentials.bearer_token_file.doc} Unset: that of the service account of the pod.`,
    },
  },
  tls: {
    ...tls,
    ca_file: {
      ...tls.ca_file,
      doc: "Certificates of the authorities that are trusted to sign the server's certificate, PEM. Unset: in a pod, that of the cluster.",
    },
  },
  proxy_url: proxyUrl,
} as const satisfies Schema;

export const schema = {
  sources: {
    doc: 'Where names come from: `docker`, `podman`, `cri`, `api_server`, `kubelet`, `slurm`; `auto` means all of these that are present, except `kubelet`.',
    format: 'string_list',
    default: ['auto'],
  },
  max_wait: {
    doc: 'How long tables may wait for the names that belong to a new id.',
    format: 'duration',
    default: '1s',
    min: 1,
  },
  start_wait: {
    doc: 'How long the start may wait for the first list of pods from the API server, so that pods that already run have names.',
    format: 'duration',
    default: '5s',
  },
  labels: {
    doc: 'Labels of containers and pods to add, which become `container.label.<key>` and `k8s.pod.label.<key>`.',
    format: 'string_list',
    default: [],
  },
  annotations: {
    doc: 'Annotations of pods to add, which become `k8s.pod.annotation.<key>`.',
    format: 'string_list',
    default: [],
  },
  node_name: {
    doc: 'Name of this Kubernetes node. Unset: the environment variable NODE_NAME or K8S_NODE_NAME.',
    format: 'string',
    default: null,
  },
  docker: {
    sockets: {
      doc: 'Sockets of the Docker API. Empty: `/var/run/docker.sock`, and `/run/user/*/docker.sock` of rootless Docker.',
      format: 'string_list',
      default: [],
    },
  },
  podman: {
    sockets: {
      doc: "Sockets of Podman's API. Empty: `/run/podman/podman.sock`, and `/run/user/*/podman/podman.sock` of rootless Podman.",
      format: 'string_list',
      default: [],
    },
  },
  cri: {
    sockets: {
      doc: 'CRI sockets of container runtimes. Empty: those of containerd and CRI-O, and of containerd in K3s, k0s and MicroK8s.',
      format: 'string_list',
      default: [],
    },
  },
  api_server: {
    endpoint: {
      doc: 'Address of the API server. Unset: that in KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, which are set in every pod.',
      format: 'url',
      default: null,
    },
    ...kubernetesClient,
  },
  kubelet: {
    endpoint: {
      doc: 'Address of the kubelet. Unset: port 10250 of `node_name`, over HTTPS.',
      format: 'url',
      default: null,
    },
    ...kubernetesClient,
  },
  slurm: {
    procfs: {
      doc: 'Where procfs is mounted.',
      format: 'path',
      default: '/proc',
    },
    cgroupfs: {
      doc: 'Where the cgroup file systems are mounted.',
      format: 'path',
      default: '/sys/fs/cgroup',
    },
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/**
 * The time limit of a source for an answer, in milliseconds. An answer that is too late for a table is not an
 * outage.
 */
export function readTimeout({ max_wait: maxWaitMs }: Config): number {
  return 2 * maxWaitMs;
}
