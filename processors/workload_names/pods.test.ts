import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePod } from './pods.js';

const options = { labels: ['app'], annotations: ['note'] };

function podOf(metadata: object, rest: object = {}) {
  return {
    metadata: { name: 'web-0', namespace: 'shop', uid: 'u', ...metadata },
    spec: { nodeName: 'node-1' },
    ...rest,
  };
}

function ownedBy(kind: string, name: string, labels: object = {}) {
  return podOf({
    labels,
    ownerReferences: [
      { kind: 'Other', name: 'no' },
      { kind, name, controller: true },
    ],
  });
}

const base = { 'k8s.pod.name': 'web-0', 'k8s.namespace.name': 'shop', 'k8s.node.name': 'node-1' };

test('parsePod finds the names of a pod, and chosen labels and annotations', () => {
  const pod = podOf({ labels: { app: 'web', tier: 'x' }, annotations: { note: 'n', other: 'x' } });
  assert.deepEqual(parsePod(pod, options)?.names, {
    ...base,
    'k8s.pod.label.app': 'web',
    'k8s.pod.annotation.note': 'n',
  });
});

for (const [what, pod, names] of [
  ['a StatefulSet', ownedBy('StatefulSet', 'web'), { 'k8s.statefulset.name': 'web' }],
  ['a DaemonSet', ownedBy('DaemonSet', 'agent'), { 'k8s.daemonset.name': 'agent' }],
  ['a ReplicaSet', ownedBy('ReplicaSet', 'web-1a2b'), { 'k8s.replicaset.name': 'web-1a2b' }],
  [
    'a Deployment',
    ownedBy('ReplicaSet', 'web-1a2b', { 'pod-template-hash': '1a2b' }),
    { 'k8s.replicaset.name': 'web-1a2b', 'k8s.deployment.name': 'web' },
  ],
  ['a Job', ownedBy('Job', 'report'), { 'k8s.job.name': 'report' }],
  [
    'a CronJob',
    ownedBy('Job', 'report-29384756'),
    { 'k8s.job.name': 'report-29384756', 'k8s.cronjob.name': 'report' },
  ],
  ['a controller of another kind', ownedBy('Node', 'node-1'), {}],
] as const) {
  test(`parsePod finds the owner of a pod of ${what}`, () => {
    assert.deepEqual(parsePod(pod, options)?.names, { ...base, ...names });
  });
}

test('parsePod uses the uid of a static pod that its cgroup has if the API server has a mirror with another one', () => {
  const pod = podOf({ annotations: { 'kubernetes.io/config.mirror': 'hash' } });
  assert.equal(parsePod(pod, options)?.uid, 'hash');
});

test('parsePod finds the containers of every kind that have ids', () => {
  const pod = podOf(
    {},
    {
      spec: {
        containers: [{ name: 'app', image: 'web:2' }],
        initContainers: [{ name: 'init', image: 'busybox' }],
      },
      status: {
        containerStatuses: [{ name: 'app', containerID: 'containerd://aa' }, { name: 'waits' }],
        initContainerStatuses: [{ name: 'init', containerID: 'cri-o://bb' }],
        ephemeralContainerStatuses: [{ name: 'debug', containerID: 'docker://cc' }],
      },
    },
  );
  assert.deepEqual(Object.fromEntries(parsePod(pod, options)?.containers ?? []), {
    aa: {
      'container.name': 'app',
      'k8s.container.name': 'app',
      'container.image.name': 'web',
      'container.image.tags': '2',
    },
    bb: { 'container.name': 'init', 'k8s.container.name': 'init', 'container.image.name': 'busybox' },
    cc: { 'container.name': 'debug', 'k8s.container.name': 'debug' },
  });
});

test('parsePod returns nothing for an object that is not a pod', () => {
  for (const value of [{}, { metadata: { uid: 'u' } }, { metadata: [], spec: 1, status: null }]) {
    assert.equal(parsePod(value, options), undefined);
  }
});
