import type { Component } from '../component/component.js';
import { describeError } from '../component/errors.js';
import type { Log } from '../component/log.js';
import type { ServiceConfig } from '../config/service.js';
import { waitForDelivery } from './backlog.js';
import { contextFor, type Environment } from './environment.js';
import { buildGraph, type Graph } from './graph.js';
import { startReceivers } from './receivers.js';

/** How much of the time a receiver that hangs may take, so that the exporters can deliver what they hold. */
const receiversShare = 0.4;

/** All components of a configuration, from start to shutdown. */
export class Service {
  readonly #config: ServiceConfig;
  readonly #environment: Environment;
  readonly #log: Log;
  readonly #extensions: Component[] = [];
  #graph: Graph | undefined;
  #receivers: readonly Component[] = [];
  #isReady = false;
  #ending: Promise<void> | undefined;

  constructor(config: ServiceConfig, environment: Environment) {
    this.#config = config;
    this.#environment = environment;
    this.#log = environment.logFor();
  }

  /** Whether every component has been started and none was asked to stop. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Starts extensions, exporters, processors and receivers, in this order, so that whoever is handed a table is
   * already there. After a failure everything is shut down again.
   * @throws Error naming the component that cannot start, and why
   */
  async start(): Promise<void> {
    try {
      await this.#startExtensions();
      this.#graph = buildGraph(this.#config, this.#environment);
      for (const { name, component } of this.#graph.consumers) await startOne(name, component);
      this.#receivers = await startReceivers(this.#config, this.#environment, this.#graph);
      this.#isReady = true;
    } catch (error) {
      await this.shutdown();
      throw error;
    }
  }

  async #startExtensions(): Promise<void> {
    for (const id of this.#config.runningExtensions) {
      const config = this.#config.extensions.get(id);
      if (!config) continue;
      const context = { ...contextFor(this.#environment, 'extension', id), isReady: () => this.#isReady };
      const extension = config.factory.create(config.settings, context);
      this.#extensions.push(extension);
      await startOne(`extension "${id}"`, extension);
    }
  }

  /** Makes every receiver take a reading now and hand on what it holds. */
  async flush(): Promise<void> {
    await Promise.all(this.#receivers.map(async (receiver) => receiver.flush?.()));
  }

  /** Waits until the exporters have delivered what they hold, for as long as they get on. A shutdown ends the wait. */
  async drain(): Promise<void> {
    await waitForDelivery(this.#graph?.findExporters() ?? []);
  }

  /**
   * Stops receivers first, each stage draining into the next, and extensions last. Safe to call twice.
   * @param timeoutMs for everything together; what takes longer is left behind
   */
  shutdown(timeoutMs = 5000): Promise<void> {
    this.#isReady = false;
    this.#ending ??= this.#stop(timeoutMs);
    return this.#ending;
  }

  async #stop(timeoutMs: number): Promise<void> {
    const begin = performance.now();
    const deadline = begin + timeoutMs;
    await this.#stopReceivers(begin + receiversShare * timeoutMs);
    const consumers = this.#graph?.consumers.toReversed() ?? [];
    const [processors, exporters] = ['processor', 'exporter'].map((kind) =>
      consumers.filter((consumer) => consumer.kind === kind),
    );
    for (const { component } of processors) await this.#stopOne(component, deadline);
    // Side by side: a backend that does not answer takes no time from the others.
    await Promise.all(exporters.map(({ component }) => this.#stopOne(component, deadline)));
    for (const extension of this.#extensions.toReversed()) await this.#stopOne(extension, deadline);
  }

  async #stopReceivers(deadline: number): Promise<void> {
    await Promise.all(this.#receivers.map((receiver) => this.#stopOne(receiver, deadline)));
    await this.#stopOne(this.#environment.sampling, deadline);
  }

  async #stopOne(component: Pick<Component, 'shutdown'>, deadline: number): Promise<void> {
    const timer = new AbortController();
    try {
      await Promise.race([component.shutdown(), expire(deadline - performance.now(), timer.signal)]);
    } catch (error) {
      this.#log.error(`Cannot shut down cleanly: ${describeError(error)}`);
    } finally {
      timer.abort();
    }
  }
}

async function startOne(name: string, component: Component): Promise<void> {
  try {
    await component.start();
  } catch (error) {
    throw new Error(`Cannot start ${name}: ${describeError(error)}`, { cause: error });
  }
}

function expire(afterMs: number, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => reject(new Error('a component took too long'));
    const timer = setTimeout(give, Math.max(0, afterMs));
    signal.addEventListener('abort', () => clearTimeout(timer));
  });
}
