import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../src/component/log.js';
import { StatusError } from '../../src/http/get.js';
import { letWaitingRun, slices } from '../../src/linux/slices.js';
import type { Attributes } from '../../src/model/series.js';
import { isObject, type JsonObject } from '../../src/recording/otlp-json.js';
import { Availability } from './availability.js';
import { itemDepths, JsonItems } from './json-items.js';
import type { KubernetesClient } from './kubernetes-client.js';
import type { Lookup, NameSource } from './lookup.js';
import { findPodNames, isOfPod, parsePod, type Pod, type PodOptions } from './pods.js';

export interface PodWatchOptions extends PodOptions {
  readonly nodeName: string;
  readonly log: Log;
}

interface Waiting {
  readonly lookup: Lookup;
  readonly deadlineMs: number;
  answer(names: Attributes | undefined): void;
}

/** Naming the workloads of this many answers takes a fraction of a millisecond. */
const answersPerStep = 64;
const listTimeoutMs = 30_000;
/** After this time the server ends a watch; the next one continues where it ended. */
const watchSeconds = 120;
/** Minimum time between two lists, however the server answers a watch. */
const relistMs = 1000;

/** The server no longer has the changes since the requested version. */
class ExpiredError extends Error {
  override readonly name = 'ExpiredError';
}

/** Names pods by a list of the pods of this node, and a watch of its changes. */
export class PodWatch implements NameSource {
  readonly title: string;
  readonly ready: Promise<unknown>;
  #setReady: () => void = () => undefined;
  readonly #client: KubernetesClient;
  readonly #options: PodWatchOptions;
  readonly #availability: Availability;
  readonly #closing = new AbortController();
  #pods = new Map<string, Pod>();
  /** In the order of their deadlines. */
  readonly #waiting = new Set<Waiting>();
  #version = '';
  #isFailing = false;
  #listedAtMs = -Infinity;

  constructor(url: URL, client: KubernetesClient, options: PodWatchOptions) {
    this.title = `API server (${url.origin})`;
    this.#client = client;
    this.#options = options;
    this.#availability = new Availability(this.title, options.log);
    this.ready = new Promise<void>((resolve) => {
      this.#setReady = resolve;
    });
  }

  /** Starts listing and watching. */
  begin(): void {
    void this.#run();
  }

  covers(lookup: Lookup): boolean {
    return isOfPod(lookup);
  }

  /** An unknown id may appear soon, unless the server is unreachable. */
  find(lookup: Lookup, deadlineMs: number): Promise<Attributes | undefined> {
    const known = findPodNames(this.#pods, lookup);
    if (known || this.#isFailing || this.#closing.signal.aborted) return Promise.resolve(known);
    this.#dropLate();
    return new Promise((answer) => {
      this.#waiting.add({ lookup, deadlineMs, answer });
    });
  }

  close(): void {
    this.#closing.abort();
    this.#client.close();
    this.#giveUp();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await this.#pause(this.#listedAtMs + relistMs - performance.now());
        await this.#list();
        for (;;) await this.#watch();
      } catch (error) {
        if (!(error instanceof ExpiredError)) await this.#fail(error);
      }
    }
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#isFailing = true;
    this.#version = '';
    this.#availability.failed(error);
    this.#giveUp();
    await this.#pause(this.#availability.leftMs);
  }

  async #list(): Promise<void> {
    this.#listedAtMs = performance.now();
    const pods = new Map<string, Pod>();
    const items = new JsonItems(itemDepths.kubernetesList, (item) => this.#keep(pods, item));
    // Version 0 is answered from the server's cache. A watch from there may have expired: then the newest
    // version is needed.
    const version = this.#version === '' ? '&resourceVersion=0' : '';
    const path = `${this.#path}${version}`;
    for await (const chunk of this.#client.get(path, listTimeoutMs)) items.push(chunk);
    this.#version = versionOf(items.finish());
    this.#pods = pods;
    this.#isFailing = false;
    this.#setReady();
    await this.#settle();
  }

  /** Follows the changes until the server ends the watch. */
  async #watch(): Promise<void> {
    const items = new JsonItems(itemDepths.stream, (event) => this.#take(event));
    const query = `&watch=true&allowWatchBookmarks=true&timeoutSeconds=${watchSeconds}`;
    const path = `${this.#path}${query}&resourceVersion=${encodeURIComponent(this.#version)}`;
    const open = () => this.#availability.succeeded();
    const startMs = performance.now();
    try {
      for await (const chunk of this.#client.get(path, 1000 * watchSeconds + listTimeoutMs, open)) {
        items.push(chunk);
        await this.#settle();
      }
    } catch (error) {
      if (error instanceof StatusError && error.status === 410)
        throw new ExpiredError('expected a resource version that the server has, found HTTP 410', {
          cause: error,
        });
      throw error;
    }
    // If the server ends every watch immediately, there is a pause before the next one.
    await this.#pause(startMs + relistMs - performance.now());
    if (this.#closing.signal.aborted) throw new Error('expected an open watch, found a closed one');
  }

  get #path(): string {
    const selector = encodeURIComponent(`spec.nodeName=${this.#options.nodeName}`);
    return `/api/v1/pods?fieldSelector=${selector}`;
  }

  #take({ type, object }: JsonObject): void {
    if (!isObject(object)) return;
    if (type === 'ERROR') this.#refuse(object);
    this.#version = versionOf(object) || this.#version;
    if (type === 'DELETED') this.#pods.delete(parsePod(object, this.#options)?.uid ?? '');
    else if (type === 'ADDED' || type === 'MODIFIED') this.#keep(this.#pods, object);
  }

  #refuse({ code, message }: JsonObject): never {
    if (code === 410) throw new ExpiredError(String(message));
    throw new Error(`expected an open watch, found its end with ${String(code)} ${String(message)}`);
  }

  #keep(pods: Map<string, Pod>, item: JsonObject): void {
    const pod = parsePod(item, this.#options);
    if (pod) pods.set(pod.uid, pod);
  }

  /** Answers lookups that are now known, and those whose deadline has passed. */
  async #settle(): Promise<void> {
    const nowMs = performance.now();
    let count = 0;
    // None is left in it after `close`, and new ones are looked at as well.
    for (const waiting of this.#waiting) {
      if (++count % answersPerStep === 0) await letWaitingRun();
      if (slices.isOver) await slices.letOthersRun();
      const names = findPodNames(this.#pods, waiting.lookup);
      if (names !== undefined || waiting.deadlineMs <= nowMs) this.#answer(waiting, names);
    }
  }

  #answer(waiting: Waiting, names: Attributes | undefined): void {
    this.#waiting.delete(waiting);
    waiting.answer(names);
  }

  #dropLate(): void {
    const nowMs = performance.now();
    for (const waiting of this.#waiting) {
      if (waiting.deadlineMs > nowMs) return;
      this.#answer(waiting, undefined);
    }
  }

  #giveUp(): void {
    this.#setReady();
    for (const waiting of this.#waiting) this.#answer(waiting, undefined);
  }

  async #pause(ms: number): Promise<void> {
    if (ms <= 0) return;
    await sleep(ms, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }
}

/** The version of a list or an object, at which a watch continues. */
function versionOf({ metadata }: JsonObject): string {
  return isObject(metadata) && typeof metadata['resourceVersion'] === 'string'
    ? metadata['resourceVersion']
    : '';
}
