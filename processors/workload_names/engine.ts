import { get, StatusError, type GetTarget } from '../../src/http/get.js';
import { Agent } from '../../src/http/node-http.js';
import {
  ATTR_CONTAINER_ID,
  ATTR_CONTAINER_NAME,
  ATTR_CONTAINER_RUNTIME_NAME,
  ATTR_LINUX_CGROUP_PATH,
  ATTR_PROCESS_LINUX_CGROUP,
} from '../../src/model/semantic-conventions.js';
import type { Attributes } from '../../src/model/series.js';
import type { JsonObject } from '../../src/recording/otlp-json.js';
import { describeImage, isDigest } from './image-reference.js';
import { itemDepths, JsonItems } from './json-items.js';
import { keepLabels } from './kept-labels.js';
import type { Lookup } from './lookup.js';
import { describeSocketError } from './socket-error.js';
import type { Backend } from './source.js';

/**
 * In a line of /proc/PID/cgroup or a path, including those outside of the collector's cgroup namespace: the
 * outermost slice of a user.
 */
const userSlice = /^(?:\d+:[^:]*:)?(?:\/\.\.)*\/user\.slice\/user-(\d+)\.slice\//u;

/** The user whose slice contains the cgroup of a resource: it cannot belong to another user's container. */
function findSliceOwner(resource: Attributes): string | undefined {
  const path = resource[ATTR_LINUX_CGROUP_PATH] ?? resource[ATTR_PROCESS_LINUX_CGROUP];
  return typeof path === 'string' ? userSlice.exec(path)?.[1] : undefined;
}

export interface EngineOptions {
  /** `Docker` or `Podman`. */
  readonly product: string;
  readonly socket: string;
  /** Labels to keep. */
  readonly labels: readonly string[];
  readonly timeoutMs: number;
  /** The user who owns the socket: it is trusted only for containers in that user's slice. */
  readonly ownerUid?: string | undefined;
}

/**
 * Docker, and Podman through its compatible API: one list with the requested containers. A container whose
 * image has lost its tag is listed with the digest of the image: it is inspected.
 */
export class Engine implements Backend {
  readonly title: string;
  /** Keeps the URL below 8 KiB. */
  readonly maxBatch = 100;
  readonly #options: EngineOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(options: EngineOptions) {
    this.title = `${options.product} (${options.socket})`;
    this.#options = options;
  }

  covers({ attribute, resource }: Lookup): boolean {
    const runtime = resource[ATTR_CONTAINER_RUNTIME_NAME] ?? 'docker';
    const isOfRuntime = attribute === ATTR_CONTAINER_ID && (runtime === 'docker' || runtime === 'podman');
    const { ownerUid } = this.#options;
    return isOfRuntime && (ownerUid === undefined || findSliceOwner(resource) === ownerUid);
  }

  /** Containers are in the list before their first process runs. */
  mayAppear(): boolean {
    return false;
  }

  async ask(lookups: readonly Lookup[]): Promise<ReadonlyMap<string, Attributes>> {
    const names = new Map<string, Attributes>();
    for (const container of await this.#list(lookups)) {
      const id = String(container['Id']);
      const lookup = lookups.find((one) => one.id === id);
      if (lookup) names.set(lookup.key, await this.#describe(id, container));
    }
    return names;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #list(lookups: readonly Lookup[]): Promise<readonly JsonObject[]> {
    const filters = JSON.stringify({ id: lookups.map(({ id }) => id) });
    const containers: JsonObject[] = [];
    const items = new JsonItems(itemDepths.list, (container) => containers.push(container));
    await this.#get(`/containers/json?all=true&filters=${encodeURIComponent(filters)}`, items);
    return containers;
  }

  async #describe(
    id: string,
    { Names: names, Image: image, Labels: labels }: JsonObject,
  ): Promise<Attributes> {
    const [name = ''] = Array.isArray(names) ? names.map(String) : [];
    const listed = typeof image === 'string' ? image : '';
    return {
      ...(name !== '' && { [ATTR_CONTAINER_NAME]: name.replace(/^\//u, '') }),
      ...describeImage(isDigest(listed) ? await this.#inspectImage(id) : listed),
      ...keepLabels('container.label.', this.#options.labels, labels),
    };
  }

  /** The image name with which the container was created; empty when the container no longer exists. */
  async #inspectImage(id: string): Promise<string> {
    let image = '';
    const items = new JsonItems(itemDepths.stream, ({ Config: config }) => {
      if (typeof config === 'object' && config !== null && 'Image' in config) image = String(config.Image);
    });
    try {
      await this.#get(`/containers/${encodeURIComponent(id)}/json`, items);
    } catch (error) {
      if (!(error instanceof StatusError && error.status === 404)) throw error;
    }
    return image;
  }

  async #get(path: string, items: JsonItems): Promise<void> {
    const { socket, timeoutMs } = this.#options;
    const url = new URL(`http://localhost${path}`);
    const target: GetTarget = { agent: this.#agent, socketPath: socket, url };
    try {
      for await (const chunk of get(target, timeoutMs)) items.push(chunk);
      items.finish();
    } catch (error) {
      throw describeSocketError(error, socket);
    }
  }
}
