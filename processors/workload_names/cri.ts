import type { Client } from '@grpc/grpc-js';
import { elementAt } from '../../src/element.js';
import { cleanText } from '../../src/http/connection-error.js';
import { collectInSlices, slices } from '../../src/linux/slices.js';
import {
  ATTR_CONTAINER_ID,
  ATTR_CONTAINER_NAME,
  ATTR_CONTAINER_RUNTIME_NAME,
  ATTR_K8S_CONTAINER_NAME,
  ATTR_K8S_NAMESPACE_NAME,
  ATTR_K8S_POD_NAME,
  ATTR_K8S_POD_UID,
} from '../../src/model/semantic-conventions.js';
import type { Attributes } from '../../src/model/series.js';
import { readVersion } from '../../src/version.js';
import {
  parseContainers,
  parseSandboxes,
  parseStatusImage,
  writeListRequest,
  writePodRequest,
  writeStatusRequest,
  type CriContainer,
  type CriSandbox,
} from './cri-messages.js';
import { describeImage, isDigest } from './image-reference.js';
import { keepLabels } from './kept-labels.js';
import type { Lookup } from './lookup.js';
import { describeSocketError } from './socket-error.js';
import type { Backend } from './source.js';

export interface CriOptions {
  readonly socket: string;
  /** Labels and annotations to keep. */
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
  readonly timeoutMs: number;
}

/** As in the kubelet. */
const maxMessageBytes = 16 * 1024 * 1024;
/** Status codes of gRPC. */
const deadlineExceeded = 4;
const notFound = 5;
const unimplemented = 12;

/** A container runtime of Kubernetes, by the Container Runtime Interface: containerd, CRI-O, cri-dockerd. */
export class Cri implements Backend {
  readonly title: string;
  readonly maxBatch = Infinity;
  readonly #options: CriOptions;
  #client: Client | undefined;
  #isClosed = false;

  constructor(options: CriOptions) {
    this.title = `CRI (${options.socket})`;
    this.#options = options;
  }

  covers({ attribute, resource }: Lookup): boolean {
    if (attribute === ATTR_K8S_POD_UID) return true;
    const runtime = resource[ATTR_CONTAINER_RUNTIME_NAME];
    const isOfPod = resource[ATTR_K8S_POD_UID] !== undefined;
    return attribute === ATTR_CONTAINER_ID && (isOfPod || runtime === 'containerd' || runtime === 'cri-o');
  }

  /** The cgroup of a pod exists before its containers are in the list. Others are not managed by Kubernetes. */
  mayAppear({ resource }: Lookup): boolean {
    return resource[ATTR_K8S_POD_UID] !== undefined;
  }

  async ask(lookups: readonly Lookup[]): Promise<ReadonlyMap<string, Attributes>> {
    const names = new Map<string, Attributes>();
    const untilMs = performance.now() + this.#options.timeoutMs;
    const containers = lookups.filter(({ attribute }) => attribute === ATTR_CONTAINER_ID);
    if (containers.length > 0) await this.#nameContainers(containers, names, untilMs);
    const rest = lookups.filter(({ key }) => !names.has(key));
    if (rest.length > 0) await this.#namePods(rest, names);
    return names;
  }

  close(): void {
    this.#isClosed = true;
    this.#disconnect();
  }

  async #nameContainers(
    lookups: readonly Lookup[],
    names: Map<string, Attributes>,
    untilMs: number,
  ): Promise<void> {
    const [only, ...others] = lookups.map(({ id }) => id);
    const request = writeListRequest(others.length === 0 ? only : undefined);
    const containers = await collectInSlices(parseContainers(await this.#call('ListContainers', request)));
    const byId = new Map(containers.map((container) => [container.id, container]));
    for (const { id, key } of lookups) {
      if (slices.isOver) await slices.letOthersRun();
      const container = byId.get(id);
      if (container) names.set(key, await this.#describeContainer(container, untilMs));
    }
  }

  /** Pods by their uid, and by the id of the container that holds their namespaces. */
  async #namePods(lookups: readonly Lookup[], names: Map<string, Attributes>): Promise<void> {
    const { attribute, id } = elementAt(lookups, 0);
    const one = attribute === ATTR_K8S_POD_UID ? writePodRequest(id) : writeListRequest(id);
    const request = lookups.length === 1 ? one : writeListRequest();
    const sandboxes = await collectInSlices(parseSandboxes(await this.#call('ListPodSandbox', request)));
    const byUid = new Map(sandboxes.map((sandbox) => [sandbox.uid, sandbox]));
    const ids = new Set(sandboxes.map((sandbox) => sandbox.id));
    for (const lookup of lookups) {
      const sandbox = byUid.get(lookup.id);
      if (lookup.attribute === ATTR_K8S_POD_UID && sandbox) {
        names.set(lookup.key, this.#describePod(sandbox));
      } else if (ids.has(lookup.id)) names.set(lookup.key, {});
    }
  }

  async #describeContainer({ id, name, image, labels }: CriContainer, untilMs: number): Promise<Attributes> {
    const isSlow = performance.now() > untilMs;
    return {
      [ATTR_CONTAINER_NAME]: name,
      [ATTR_K8S_CONTAINER_NAME]: name,
      ...describeImage(isDigest(image) && !isSlow ? await this.#readImage(id) : image),
      ...keepLabels('container.label.', this.#options.labels, labels),
    };
  }

  #describePod({ name, namespace, labels, annotations }: CriSandbox): Attributes {
    return {
      [ATTR_K8S_POD_NAME]: name,
      [ATTR_K8S_NAMESPACE_NAME]: namespace,
      ...keepLabels('k8s.pod.label.', this.#options.labels, labels),
      ...keepLabels('k8s.pod.annotation.', this.#options.annotations, annotations),
    };
  }

  /** The image of a container by its name; empty when the container no longer exists. */
  async #readImage(id: string): Promise<string> {
    try {
      return parseStatusImage(await this.#call('ContainerStatus', writeStatusRequest(id)));
    } catch (error) {
      if (isStatus(error, notFound)) return '';
      throw error;
    }
  }

  async #call(method: string, request: Buffer): Promise<Buffer> {
    const client = (this.#client ??= await this.#connect());
    const { timeoutMs, socket } = this.#options;
    try {
      return await call(client, { path: `/runtime.v1.RuntimeService/${method}`, request, timeoutMs });
    } catch (error) {
      if (isStatus(error, notFound)) throw error;
      // The library would wait before it reconnects, longer each time.
      this.#disconnect();
      throw isStatus(error, unimplemented)
        ? new Error('expected the CRI at this socket, found another service; enable the plugin "cri"', {
            cause: error,
          })
        : describeSocketError(error, socket);
    }
  }

  /** Loaded only if such a socket exists. */
  async #connect(): Promise<Client> {
    const { Client: GrpcClient, credentials } = await import('@grpc/grpc-js');
    if (this.#isClosed) throw new Error('expected an open connection, found a closed one');
    return new GrpcClient(`unix:${this.#options.socket}`, credentials.createInsecure(), {
      'grpc.enable_http_proxy': 0,
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.primary_user_agent': `joulemetry/${readVersion()}`,
    });
  }

  #disconnect(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}

interface Call {
  readonly path: string;
  readonly request: Buffer;
  readonly timeoutMs: number;
}

function call(client: Client, { path, request, timeoutMs }: Call): Promise<Buffer> {
  const deadline = Date.now() + timeoutMs;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, same, same, request, { deadline }, (error, response) => {
      if (error) reject(new CallError(error.code, error.details, timeoutMs));
      else resolve(response ?? Buffer.alloc(0));
    });
  });
}

function same(bytes: Buffer): Buffer {
  return bytes;
}

/** A failed call, as reported by gRPC. */
class CallError extends Error {
  override readonly name = 'CallError';
  readonly status: number;

  constructor(status: number, details: string, timeoutMs: number) {
    super(
      status === deadlineExceeded
        ? `expected an answer within ${timeoutMs} ms, found none`
        : cleanText(details),
    );
    this.status = status;
  }
}

function isStatus(error: unknown, status: number): boolean {
  return error instanceof CallError && error.status === status;
}
