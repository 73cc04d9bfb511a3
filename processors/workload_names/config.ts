import type { ConfigOf, Schema } from '../../src/component/schema.js';

/** What can be named in `sources`, in order of precedence: where two sources know the same attribute, the first one counts. */
export const sourceNames = ['docker', 'podman', 'cri', 'slurm'] as const;

export type SourceName = (typeof sourceNames)[number];

export const schema = {
  sources: {
    doc: 'Where names come from: docker, podman, cri, slurm; `auto`: all of them that are present.',
    format: 'string_list',
    default: ['auto'],
  },
  max_wait: {
    doc: 'How long tables may be held for the names of an id that has not been seen before.',
    format: 'duration',
    default: '1s',
    min: 1,
  },
  labels: {
    doc: 'Labels of containers and pods to add, as `container.label.<key>` and `k8s.pod.label.<key>`.',
    format: 'string_list',
    default: [],
  },
  annotations: {
    doc: 'Annotations of pods to add, as `k8s.pod.annotation.<key>`.',
    format: 'string_list',
    default: [],
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
      doc: 'Sockets of container runtimes. Empty: those of containerd and CRI-O, and of containerd in K3s, k0s and MicroK8s.',
      format: 'string_list',
      default: [],
    },
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
