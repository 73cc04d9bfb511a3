import type { Attributes } from '../../src/model/series.js';
import { itemDepths, JsonItems } from './json-items.js';
import type { KubernetesClient } from './kubernetes-client.js';
import type { Lookup } from './lookup.js';
import { findPodNames, isOfPod, parsePod, type Pod, type PodOptions } from './pods.js';
import type { Backend } from './source.js';

export interface KubeletOptions extends PodOptions {
  readonly timeoutMs: number;
}

/** Names pods by the kubelet's list of the pods of this node. */
export class Kubelet implements Backend {
  readonly title: string;
  readonly maxBatch = Infinity;
  readonly #client: KubernetesClient;
  readonly #options: KubeletOptions;

  constructor(url: URL, client: KubernetesClient, options: KubeletOptions) {
    this.title = `kubelet (${url.origin})`;
    this.#client = client;
    this.#options = options;
  }

  covers(lookup: Lookup): boolean {
    return isOfPod(lookup);
  }

  /** The status of a pod contains the ids of its containers shortly after they start. */
  mayAppear(): boolean {
    return true;
  }

  async ask(lookups: readonly Lookup[]): Promise<ReadonlyMap<string, Attributes>> {
    const pods = await this.#list();
    const names = new Map<string, Attributes>();
    for (const lookup of lookups) {
      const found = findPodNames(pods, lookup);
      if (found) names.set(lookup.key, found);
    }
    return names;
  }

  close(): void {
    this.#client.close();
  }

  async #list(): Promise<ReadonlyMap<string, Pod>> {
    const pods = new Map<string, Pod>();
    const items = new JsonItems(itemDepths.kubernetesList, (item) => {
      const pod = parsePod(item, this.#options);
      if (pod) pods.set(pod.uid, pod);
    });
    for await (const chunk of this.#client.get('/pods', this.#options.timeoutMs)) items.push(chunk);
    items.finish();
    return pods;
  }
}
