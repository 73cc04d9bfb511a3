import {
  ATTR_CONTAINER_ID,
  ATTR_CONTAINER_NAME,
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
} from '../../src/model/semantic-conventions.js';
import type { Attributes } from '../../src/model/series.js';
import { isObject, objectsOf, type JsonObject } from '../../src/recording/otlp-json.js';
import { describeImage } from './image-reference.js';
import { keepLabels } from './kept-labels.js';
import type { Lookup } from './lookup.js';

/** What is kept of a pod besides its names. */
export interface PodOptions {
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
}

/** The names of a pod and its containers. */
export interface Pod {
  /** In the form of cgroup paths. */
  readonly uid: string;
  readonly names: Attributes;
  /** By the id of each container. */
  readonly containers: ReadonlyMap<string, Attributes>;
}

/** Whether the names of a pod apply to this id. */
export function isOfPod({ attribute, resource }: Lookup): boolean {
  return attribute === ATTR_K8S_POD_UID || (attribute === ATTR_CONTAINER_ID && podUidOf(resource) !== '');
}

/** The names that pods have for an id. */
export function findPodNames(pods: ReadonlyMap<string, Pod>, lookup: Lookup): Attributes | undefined {
  const pod = pods.get(podUidOf(lookup.resource));
  return lookup.attribute === ATTR_K8S_POD_UID ? pod?.names : pod?.containers.get(lookup.id);
}

function podUidOf(resource: Attributes): string {
  return String(resource[ATTR_K8S_POD_UID] ?? '');
}

/** Reads a pod from the Kubernetes API's JSON. Undefined if it is not one. */
export function parsePod(pod: JsonObject, options: PodOptions): Pod | undefined {
  const metadata = fieldsOf(pod['metadata']);
  const spec = fieldsOf(pod['spec']);
  const { labels, annotations } = metadata;
  const uid = findUid(metadata);
  const names = texts({
    [ATTR_K8S_POD_NAME]: metadata['name'],
    [ATTR_K8S_NAMESPACE_NAME]: metadata['namespace'],
    [ATTR_K8S_NODE_NAME]: spec['nodeName'],
  });
  if (uid === '' || names[ATTR_K8S_POD_NAME] === undefined) return undefined;
  return {
    uid,
    names: {
      ...names,
      ...describeOwner(metadata),
      ...keepLabels('k8s.pod.label.', options.labels, labels),
      ...keepLabels('k8s.pod.annotation.', options.annotations, annotations),
    },
    containers: new Map(listContainers(spec, fieldsOf(pod['status']))),
  };
}

/**
 * The uid in the cgroup path. The API server has a mirror of each static pod with a different uid: the
 * kubelet's is in one of its annotations.
 */
function findUid({ uid, annotations }: JsonObject): string {
  const mirrored = fieldsOf(annotations)['kubernetes.io/config.mirror'];
  return textOf(mirrored) || textOf(uid);
}

const ownerAttributes: ReadonlyMap<unknown, string> = new Map([
  ['ReplicaSet', ATTR_K8S_REPLICASET_NAME],
  ['StatefulSet', ATTR_K8S_STATEFULSET_NAME],
  ['DaemonSet', ATTR_K8S_DAEMONSET_NAME],
  ['Job', ATTR_K8S_JOB_NAME],
]);

/** The controller of a pod, and, derived from its name, that controller's controller. */
function describeOwner({ ownerReferences, labels }: JsonObject): Attributes {
  const owner = objectsOf(ownerReferences).find(({ controller }) => controller === true);
  const name = textOf(owner?.['name']);
  const attribute = ownerAttributes.get(owner?.['kind']);
  if (attribute === undefined || name === '') return {};
  return { [attribute]: name, ...describeOwnerOfOwner(attribute, name, fieldsOf(labels)) };
}

/**
 * A Deployment names its ReplicaSets by its own name and the hash that is a label of each pod, a CronJob its
 * Jobs by its own name and their scheduled minute since 1970.
 */
function describeOwnerOfOwner(attribute: string, name: string, labels: JsonObject): Attributes {
  const hash = textOf(labels['pod-template-hash']);
  if (attribute === ATTR_K8S_REPLICASET_NAME && hash !== '' && name.endsWith(`-${hash}`)) {
    return { [ATTR_K8S_DEPLOYMENT_NAME]: name.slice(0, -hash.length - 1) };
  }
  const [, cronJob] = /^(.+)-\d{8}$/u.exec(name) ?? [];
  if (attribute !== ATTR_K8S_JOB_NAME || cronJob === undefined) return {};
  return { [ATTR_K8S_CRONJOB_NAME]: cronJob };
}

const containerLists = [
  ['containers', 'containerStatuses'],
  ['initContainers', 'initContainerStatuses'],
  ['ephemeralContainers', 'ephemeralContainerStatuses'],
] as const;

function listContainers(spec: JsonObject, status: JsonObject): readonly [string, Attributes][] {
  return containerLists.flatMap(([specified, statuses]) => {
    const images = new Map(objectsOf(spec[specified]).map(({ name, image }) => [name, textOf(image)]));
    return objectsOf(status[statuses]).flatMap(({ name, containerID }): [string, Attributes][] => {
      // containerd://ID; a waiting container has none.
      const id = textOf(containerID).replace(/^.*\/\//u, '');
      const names = texts({ [ATTR_CONTAINER_NAME]: name, [ATTR_K8S_CONTAINER_NAME]: name });
      return id === '' ? [] : [[id, { ...names, ...describeImage(images.get(name) ?? '') }]];
    });
  });
}

function fieldsOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Only the non-empty strings. */
function texts(values: JsonObject): Attributes {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => (textOf(value) === '' ? [] : [[key, textOf(value)]])),
  );
}
