import {
  parseContainers,
  parseSandboxes,
  parseStatusImage,
} from '../../processors/workload_names/cri-messages.js';
import { describeImage } from '../../processors/workload_names/image-reference.js';
import { itemDepths, JsonItems } from '../../processors/workload_names/json-items.js';
import { keepLabels } from '../../processors/workload_names/kept-labels.js';
import { parsePod } from '../../processors/workload_names/pods.js';
import { parseEnvironment } from '../../processors/workload_names/slurm.js';
import type { JsonObject } from '../../src/recording/otlp-json.js';
import type { Target } from './target.js';

const pod = {
  metadata: {
    name: 'web-1a2b-x',
    namespace: 'shop',
    uid: 'u',
    labels: { 'pod-template-hash': '1a2b', app: 'web' },
    annotations: { 'kubernetes.io/config.mirror': 'hash' },
    ownerReferences: [{ kind: 'ReplicaSet', name: 'web-1a2b', controller: true }],
  },
  spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'web:2' }] },
  status: { containerStatuses: [{ name: 'app', containerID: 'containerd://aa' }] },
};

/** A list with one container or sandbox in the format of runtime.v1: an id, metadata, an image and a label. */
const criList = Buffer.concat([
  Buffer.from([0x0a, 0x1a, 0x0a, 1, 0x61, 0x12, 3, 0x0a, 1, 0x64, 0x1a, 3, 0x0a, 1, 0x62]),
  Buffer.from([0x22, 3, 0x0a, 1, 0x63, 0x42, 6, 0x0a, 1, 0x6b, 0x12, 1, 0x76]),
]);

/** Every parser of the processor workload_names. */
export const nameTargets: readonly Target[] = [
  {
    name: 'containers of the Docker API',
    examples: [
      Buffer.from(JSON.stringify([{ Id: 'a', Names: ['/web'], Image: 'r:5/web:1', Labels: { app: 'x' } }])),
    ],
    mayThrow: [Error],
    parse: (input) =>
      parseItems(itemDepths.list, input, ({ Image: image, Labels: labels }) => [
        describeImage(String(image)),
        keepLabels('container.label.', ['app', '__proto__'], labels),
      ]),
  },
  {
    name: 'pods of the Kubernetes API',
    examples: [Buffer.from(JSON.stringify({ metadata: { resourceVersion: '7' }, items: [pod, {}] }))],
    mayThrow: [Error],
    parse: (input) =>
      parseItems(itemDepths.kubernetesList, input, (item) =>
        parsePod(item, { labels: ['app', '__proto__'], annotations: ['note'] }),
      ),
  },
  {
    name: 'messages of the CRI',
    examples: [criList],
    mayThrow: [RangeError],
    parse: (input) => [[...parseContainers(input)], [...parseSandboxes(input)], parseStatusImage(input)],
  },
  {
    name: 'environment of a Slurm job',
    examples: [Buffer.from('PATH=/bin\0SLURM_JOB_ID=12\0SLURM_JOB_NAME=a=b\0SLURM_JOB_USER=ada\0')],
    parse: (input) => parseEnvironment(input.toString(), '12'),
  },
];

function parseItems(depth: number, input: Buffer, parse: (item: JsonObject) => unknown): unknown {
  const found: unknown[] = [];
  const items = new JsonItems(depth, (item) => found.push(parse(item)));
  items.push(input);
  return [found, items.finish()];
}
