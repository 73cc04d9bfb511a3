import type { AgentControl, ReloadResult } from '../component/agent-control.js';
import type { Log } from '../component/log.js';
import type { ServiceConfig } from '../config/service.js';
import { describeError } from '../errors.js';
import { createAgentControl } from './agent-control.js';
import { Gate, waitForDelivery } from './ending.js';
import { FirstWindow } from './first-window.js';
import { Graph, type Environment, type Unit } from './graph.js';
import { ReceiverSet } from './receivers.js';
import { compareRunning, Reloads, type Applied, type Changes, type Running } from './reloads.js';
import { beginSampling, isActive, type RunningReceiver } from './running-receiver.js';
import { Statuses } from './statuses.js';
import { planStages, shutdownMs, stopAll, stopReceivers, stopUnits, waitAtMost } from './stopping.js';
import { compareUnits, isSameService, listWanted, type UnitKind, type WantedUnit } from './units.js';

/** How long a stage that a reload stops may take. */
const stageMs = 2000;
/** Limit of points held while exporters are replaced; 8 bytes each, plus the series. */
const maxHeldPoints = 2_000_000;

/** All components of a configuration, from start to shutdown. */
export class Service {
  readonly #environment: Environment;
  readonly #log: Log;
  readonly #statuses = new Statuses();
  readonly #gate = new Gate();
  readonly #graph: Graph;
  readonly #receivers: ReceiverSet;
  readonly #reloads: Reloads;
  /** How extensions control this service. */
  readonly agent: AgentControl;
  #config: ServiceConfig;
  #firstWindow: FirstWindow | undefined;
  #isReady = false;
  #starting: Promise<void> = Promise.resolve();
  #ending: Promise<void> | undefined;

  constructor(config: ServiceConfig, environment: Environment) {
    this.#config = config;
    this.#environment = { ...environment, logFor: this.#statuses.watchLogs(environment) };
    this.#log = environment.logFor();
    this.#reloads = new Reloads(environment, (next) => this.#reload(next));
    this.agent = createAgentControl(this, this.#statuses, environment);
    const isReady = () => this.#isReady;
    this.#graph = new Graph(this.#environment, this.#statuses, { isReady, agent: this.agent });
    this.#receivers = new ReceiverSet(this.#environment, {
      graph: this.#graph,
      statuses: this.#statuses,
      before: (next) => this.#gate.before(next),
      checkRunning: () => this.#checkRunning(),
    });
  }

  get config(): ServiceConfig {
    return this.#config;
  }

  /** Whether every component has been started and none was asked to stop. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether the shutdown has begun. */
  get isStopping(): boolean {
    return this.#ending !== undefined;
  }

  /**
   * Starts extensions, exporters, processors and receivers, in this order, so that the consumer of a table
   * exists. After a failure everything is shut down again.
   * @throws Error naming the component that cannot start, with the reason
   */
  async start(): Promise<void> {
    try {
      await beginSampling(this.#config, this.#environment);
      this.#starting = this.#change(this.#config);
      await this.#starting;
      this.#isReady = true;
    } catch (error) {
      await this.shutdown();
      throw error;
    }
  }

  /**
   * Reads the configuration again and applies the changes: new components start, removed ones stop, and
   * unchanged ones continue untouched. If a component cannot start, the old configuration is applied again.
   * Never rejects.
   */
  reload(): Promise<ReloadResult> {
    return this.#reloads.request();
  }

  /** Runs work while no reload is in progress. */
  alone(work: () => Promise<void>): Promise<void> {
    return this.#reloads.alone(async () => {
      await this.#starting;
      await work();
    });
  }

  /** Offers the claims of a stopped receiver to those that were refused them. */
  async replace({ id }: RunningReceiver): Promise<void> {
    if (this.#ending) return;
    this.#receivers.release(id);
    await this.#receivers.start(this.#config, (error) => this.#log.error(describeError(error)));
  }

  /** @throws Error saying why the old configuration is in use again */
  async #reload(config: ServiceConfig): Promise<Applied> {
    await this.#starting;
    this.#checkRunning();
    const changes = await this.#reloadComponents(config);
    const kept = await this.#environment.changeTelemetry?.(config.telemetry);
    return { changes, settings: [], kept: [], ...kept };
  }

  /** @throws Error saying why the old configuration is in use again */
  async #reloadComponents(config: ServiceConfig): Promise<Changes | undefined> {
    const former = this.#config;
    if (isSameService(former, config) && this.#isWhole()) return undefined;
    const before = this.#listRunning();
    try {
      await this.#change(config);
      this.#config = config;
      this.#statuses.endPauses();
      return compareRunning(before, this.#listRunning());
    } catch (error) {
      await this.#rollBack(former);
      throw error;
    } finally {
      if (this.#isReady) this.#gate.release();
    }
  }

  async #rollBack(former: ServiceConfig): Promise<void> {
    if (this.#ending) return;
    try {
      await this.#change(former, { ifPossible: true });
    } catch (error) {
      this.#log.error(`Cannot use all of the old configuration again: ${describeError(error)}`);
    }
  }

  /**
   * Changes the running components to those of a configuration.
   * @param options `ifPossible`: components that cannot start are logged and left out
   */
  async #change(config: ServiceConfig, { ifPossible = false } = {}): Promise<void> {
    const onFailure = (error: unknown): void => {
      if (!ifPossible) throw error;
      this.#log.error(describeError(error));
    };
    const start = (one: WantedUnit) => this.#startOne(one).catch(onFailure);
    const wanted = listWanted(config);
    const { early, late, stopping, leaving } = compareUnits(this.#graph.units, wanted);
    for (const one of early) await start(one);
    if (this.#isReady && !ifPossible) await this.#receivers.probeNew(config);
    await this.#removeReceivers(this.#receivers.findGone(config));
    if (this.#isReady && stopping.length + late.length > 0) this.#gate.hold(maxHeldPoints);
    await this.#remove(stopping);
    for (const one of late) await start(one);
    this.#graph.connect(config, wanted);
    if (this.#isReady) this.#gate.release();
    await this.#receivers.start(config, onFailure);
    await this.#remove(leaving);
  }

  async #startOne(wanted: WantedUnit): Promise<void> {
    this.#checkRunning();
    const unit = this.#graph.add(wanted);
    try {
      await unit.component.start();
      unit.status.started();
    } catch (error) {
      await this.#remove([unit]);
      throw new Error(`Cannot start ${unit.name}: ${describeError(error)}`, { cause: error });
    }
  }

  #checkRunning(): void {
    if (this.#ending) throw new Error('expected an agent that runs, found one that is shutting down');
  }

  /** Stops receivers that the configuration no longer has; meters first, as in a shutdown. */
  async #removeReceivers(gone: readonly RunningReceiver[]): Promise<void> {
    const endMs = performance.now() + stageMs;
    await stopReceivers(gone, [endMs, endMs], this.#log);
    for (const receiver of gone) this.#receivers.forget(receiver);
  }

  /** Stops units that the configuration no longer has, and ends their series. */
  async #remove(units: readonly Unit[]): Promise<void> {
    const { exporters, extensions } = planStages();
    await stopUnits(units, [exporters, extensions], {
      log: this.#log,
      onStopped: (unit) => this.#graph.endSeries(unit),
    });
    for (const unit of units) this.#graph.remove(unit);
  }

  /** Whether every component of the configuration is running; after a failure, one may not be. */
  #isWhole(): boolean {
    const hasUnits = listWanted(this.#config).every(({ key }) => this.#graph.units.has(key));
    return hasUnits && this.#receivers.isWhole(this.#config);
  }

  #listRunning(): Running {
    const receivers = this.receivers.map((one): [string, RunningReceiver] => [one.name, one]);
    return new Map<string, RunningReceiver | Unit>([...this.#graph.units, ...receivers]);
  }

  /**
   * Holds the readings of receivers in front of the pipelines until `release`, so that their consumers see all
   * of them.
   */
  hold(): void {
    this.#gate.hold();
  }

  /** Lets held tables into the pipelines. May be called again. */
  release(): void {
    this.#gate.release();
  }

  /** Processors and exporters. */
  get consumers(): readonly Unit[] {
    return this.#listUnits('processor', 'exporter');
  }

  /** The receivers that run. */
  get receivers(): readonly RunningReceiver[] {
    return this.#receivers.running;
  }

  /**
   * Makes every receiver take a reading now, and then every processor and exporter forward what it holds, in
   * pipeline order.
   */
  async flush(): Promise<void> {
    const receivers = this.receivers.filter(isActive);
    await Promise.all(receivers.map(async ({ component }) => component.flush?.()));
    for (const { component } of this.consumers.toReversed()) await component.flush?.();
  }

  #listUnits(...kinds: readonly UnitKind[]): readonly Unit[] {
    return [...this.#graph.units.values()].filter(({ config }) => kinds.includes(config.kind));
  }

  /** Makes every receiver read a second time as soon as energy can be attributed. Returns immediately. */
  beginAttributing(): void {
    this.#firstWindow = new FirstWindow(this.receivers, this.#log);
    void this.#firstWindow.end(this.#environment.clock);
  }

  /** Waits until the exporters have delivered everything, as long as they make progress. A shutdown ends the wait. */
  async drain(): Promise<void> {
    await waitForDelivery(this.#graph.findExporters());
  }

  /**
   * Stops receivers first, each stage draining into the next, and extensions last. May be called twice.
   * @param timeoutMs for everything together; components that take longer are abandoned, and what they hold is
   * dropped and counted
   */
  shutdown(timeoutMs = shutdownMs): Promise<void> {
    this.#isReady = false;
    this.#firstWindow?.abort();
    this.#ending ??= this.#stop(timeoutMs);
    return this.#ending;
  }

  async #stop(timeoutMs: number): Promise<void> {
    const { reload, meters, receivers, exporters, extensions } = planStages(timeoutMs);
    await waitAtMost(this.#reloads.settle(), reload - performance.now());
    this.release();
    await stopReceivers(this.receivers, [meters, receivers], this.#log);
    await stopAll([{ name: 'sampling', component: this.#environment.sampling }], receivers, this.#log);
    this.#gate.close();
    await stopUnits([...this.#graph.units.values()], [exporters, extensions], { log: this.#log });
    this.#reportLate();
  }

  #reportLate(): void {
    const { refusedPoints } = this.#gate;
    if (refusedPoints === 0) return;
    this.#log.warn(`Dropped ${refusedPoints} points of receivers that did not stop in time`);
  }
}
