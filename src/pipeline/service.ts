import type { AgentControl } from '../component/agent-control.js';
import type { Component, StorageExtension } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import type { Log } from '../component/log.js';
import { normalizeId } from '../config/components.js';
import type { ServiceConfig } from '../config/service.js';
import { describeError } from '../errors.js';
import { createAgentControl } from './agent-control.js';
import { Gate, stopWithin, waitForDelivery, type Stoppable } from './ending.js';
import { FirstWindow } from './first-window.js';
import { buildGraph, contextFor, type Environment, type Graph } from './graph.js';
import { startReceivers, type RunningReceiver } from './receivers.js';
import { Statuses, type StatusRecord } from './statuses.js';

/** The agent promises 5 s: the rest is for its own telemetry, and for a machine on which everything takes longer. */
const shutdownMs = 4200;

/**
 * The share of the time that has passed when a stage is left behind, so that the exporters can deliver what they hold
 * although a receiver hangs.
 */
const stageEnds = { meters: 0.35, receivers: 0.5, exporters: 0.95 };

/** A component with what is known of it. */
interface Member extends Stoppable {
  readonly component: Component;
  readonly status: StatusRecord;
}

type Stopping = Stoppable & Partial<Pick<Member, 'status'>>;

/** All components of a configuration, from start to shutdown. */
export class Service {
  readonly #config: ServiceConfig;
  readonly #environment: Environment;
  readonly #log: Log;
  readonly #extensions: Member[] = [];
  readonly #storages = new Map<string, StorageExtension>();
  readonly #gate = new Gate();
  readonly #statuses = new Statuses();
  /** What extensions can do with this service. */
  readonly agent: AgentControl;
  #graph: Graph | undefined;
  #receivers: readonly RunningReceiver[] = [];
  #firstWindow: FirstWindow | undefined;
  #isReady = false;
  #ending: Promise<void> | undefined;

  constructor(config: ServiceConfig, environment: Environment) {
    this.#config = config;
    this.#environment = { ...environment, logFor: this.#statuses.watchLogs(environment) };
    this.#log = environment.logFor();
    this.agent = createAgentControl(this, this.#statuses, environment);
  }

  /** Whether every component has been started and none was asked to stop. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Starts extensions, exporters, processors and receivers, in this order, so that the consumer of a table is
   * already there. After a failure everything is shut down again.
   * @throws Error naming the component that cannot start, and why
   */
  async start(): Promise<void> {
    try {
      await this.#startExtensions();
      const graph = buildGraph(this.#config, this.#environment, {
        findStorage: (id) => this.#storages.get(normalizeId(id)),
        statuses: this.#statuses,
      });
      this.#graph = graph;
      for (const consumer of graph.consumers) await startOne(consumer);
      this.#receivers = await startReceivers(this.#config, this.#environment, {
        ...graph,
        findEntry: (id) => this.#findEntry(graph, id),
      });
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
      const status = this.#statuses.open({ kind: 'extension', id, pipelines: [] });
      const context = {
        ...contextFor(this.#environment, 'extension', id),
        isReady: () => this.#isReady,
        agent: this.agent,
      };
      const extension = {
        id,
        name: `extension "${id}"`,
        component: config.factory.create(config.settings, context),
        status,
      };
      this.#extensions.push(extension);
      if (isStorage(extension.component)) this.#storages.set(id, extension.component);
      await startOne(extension);
    }
  }

  #findEntry(graph: Graph, receiverId: string): Consumer | undefined {
    const entry = graph.findEntry(receiverId);
    return entry && this.#gate.before(entry);
  }

  /** Lets what receivers read wait before the pipelines until `release`: what reads it then comes first. */
  hold(): void {
    this.#gate.hold();
  }

  /** Lets what waits into the pipelines. Safe to call again. */
  release(): void {
    this.#gate.release();
  }

  /** Processors and exporters. */
  get consumers(): Graph['consumers'] {
    return this.#graph?.consumers ?? [];
  }

  /** The receivers that run. */
  get receivers(): readonly RunningReceiver[] {
    return this.#receivers;
  }

  /** Makes every receiver take a reading now, and every processor and exporter pass on what it holds, in their order. */
  async flush(): Promise<void> {
    await Promise.all(this.#receivers.map(async ({ component }) => component.flush?.()));
    for (const { component } of this.#graph?.consumers.toReversed() ?? []) await component.flush?.();
  }

  /** Makes every receiver read a second time, as soon as the first joules can be attributed. Returns at once. */
  beginAttributing(): void {
    this.#firstWindow = new FirstWindow(this.#receivers, this.#log);
    void this.#firstWindow.end(this.#environment.clock);
  }

  /** Waits until the exporters have delivered what they hold, for as long as they get on. A shutdown ends the wait. */
  async drain(): Promise<void> {
    await waitForDelivery(this.#graph?.findExporters() ?? []);
  }

  /**
   * Stops receivers first, each stage draining into the next, and extensions last. Safe to call twice.
   * @param timeoutMs for everything together; what takes longer is left behind, and what it holds is dropped and counted
   */
  shutdown(timeoutMs = shutdownMs): Promise<void> {
    this.#isReady = false;
    this.#firstWindow?.abort();
    this.#ending ??= this.#stop(timeoutMs);
    return this.#ending;
  }

  async #stop(timeoutMs: number): Promise<void> {
    const beginMs = performance.now();
    this.release();
    const endOf = (stage: keyof typeof stageEnds) => beginMs + stageEnds[stage] * timeoutMs;
    // Meters first: the scan that follows says who used what their last readings measured.
    await this.#stopAll(
      this.#receivers.filter(({ readsUsage }) => !readsUsage),
      endOf('meters'),
    );
    await this.#stopAll(
      this.#receivers.filter(({ readsUsage }) => readsUsage),
      endOf('receivers'),
    );
    await this.#stopAll([{ name: 'sampling', component: this.#environment.sampling }], endOf('receivers'));
    this.#gate.close();
    const consumers = this.#graph?.consumers.toReversed() ?? [];
    const processors = consumers.filter(({ kind }) => kind === 'processor');
    const exporters = consumers.filter(({ kind }) => kind === 'exporter');
    for (const processor of processors) await this.#stopAll([processor], endOf('exporters'));
    await this.#stopAll(exporters, endOf('exporters'));
    for (const extension of this.#extensions.toReversed())
      await this.#stopAll([extension], beginMs + timeoutMs);
    this.#reportLate();
  }

  /** Side by side: one that does not answer takes no time from the others. */
  async #stopAll(all: readonly Stopping[], deadlineMs: number): Promise<void> {
    const stop = async (one: Stopping) => {
      await stopWithin(one, deadlineMs, this.#log);
      one.status?.enter('stopped');
    };
    await Promise.all(all.map(stop));
  }

  #reportLate(): void {
    const { refusedPoints } = this.#gate;
    if (refusedPoints === 0) return;
    this.#log.warn(`Dropped ${refusedPoints} points of receivers that did not stop in time`);
  }
}

/** Whether exporters can keep their requests there. */
function isStorage(extension: Component): extension is StorageExtension {
  return 'openQueue' in extension;
}

async function startOne({ name, component, status }: Member): Promise<void> {
  try {
    await component.start();
    status.enter('running');
  } catch (error) {
    throw new Error(`Cannot start ${name}: ${describeError(error)}`, { cause: error });
  }
}
