import type { Meter } from '@opentelemetry/api';
import type { SettingChanges } from '../component/agent-control.js';
import type {
  Component,
  ConsumingComponent,
  Context,
  ExtensionContext,
  StorageExtension,
} from '../component/component.js';
import { passHistograms, type Consumer } from '../component/consumer.js';
import type { ComponentKind } from '../component/kinds.js';
import type { Log } from '../component/log.js';
import type { Sampling } from '../component/sampling.js';
import { normalizeId, type ComponentConfig } from '../config/components.js';
import type { PipelineConfig } from '../config/pipelines.js';
import type { ServiceConfig } from '../config/service.js';
import { describeError } from '../errors.js';
import type { Clock } from '../linux/clock.js';
import { findOrAdd } from '../model/plan.js';
import type { Metric, Resource } from '../model/series.js';
import { ClaimRegistry } from './claims.js';
import {
  bypassUnlessActive,
  countPassage,
  countStatus,
  createDroppingConsumer,
  exporterCounters,
  guard,
  processorCounters,
} from './guard.js';
import { leaveOut, passAround } from './histograms.js';
import { LiveSeries } from './live-series.js';
import { refusing, Slot } from './slot.js';
import type { Statuses, StatusRecord } from './statuses.js';
import { exporterKey, extensionKey, listProcessorKeys, type UnitKind, type WantedUnit } from './units.js';

/** What a service provides to its components. */
export interface Environment {
  /** The log of one component, or without arguments that of the service itself. */
  logFor(kind?: ComponentKind, id?: string): Log;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly host: Resource;
  readonly sampling: Sampling;
  /** Receives every table that reaches the exporters. */
  readonly observer?: Consumer | undefined;
  /** Called when every running receiver has forwarded its last table. */
  onFinish?(): void;
  /** Called when a receiver has forwarded its last table but could not do everything. */
  onProblem?(problem: string): void;
  /** Called when an extension asks the agent to end. */
  onShutdownRequest?(): void;
  /** Called at the start of a reload, also one that no signal requested. `onReloaded` follows before the next one. */
  onReloading?(): void;
  /** Called at the end of a reload, whatever its result. */
  onReloaded?(): void;
  /** Applies the changes of `service.telemetry` that can be applied while running. Never rejects. */
  changeTelemetry?(config: ServiceConfig['telemetry']): Promise<SettingChanges>;
  /** Reads and validates the configuration again. Absent if it cannot change. */
  loadConfig?(): Promise<ServiceConfig>;
}

/** The context of one component. */
export function contextFor(environment: Environment, kind: ComponentKind, id: string): Context {
  const { clock, meter, host } = environment;
  return { id, clock, meter, host, log: environment.logFor(kind, id) };
}

/** A created component: an extension, or an exporter or processor with its entry. */
export interface Unit extends WantedUnit {
  readonly kind: UnitKind;
  readonly id: string;
  /** For messages: `exporter "otlp_http"`. */
  readonly name: string;
  readonly component: Component;
  readonly status: StatusRecord;
  /** Its entry for tables: guarded and counted. */
  readonly entry: Consumer;
  /** Processors: their next consumer, and the series that they received and published. */
  readonly passage?: { readonly next: Slot; readonly incoming: LiveSeries; readonly outgoing: LiveSeries };
}

/** What extensions get besides the context of every component. */
export type ExtensionParts = Pick<ExtensionContext, 'isReady' | 'agent'>;

/**
 * Extensions, exporters (each once) and processors (once per pipeline), and their connections. Units that
 * outlast a reload keep their object, and with it their state.
 */
export class Graph {
  /** The claims of receivers. */
  readonly claims = new ClaimRegistry();
  #units: ReadonlyMap<string, Unit> = new Map();
  readonly #environment: Environment;
  readonly #statuses: Statuses;
  readonly #parts: ExtensionParts;
  readonly #routes = new Map<string, Slot>();
  #pipelines: readonly PipelineConfig[] = [];

  constructor(environment: Environment, statuses: Statuses, parts: ExtensionParts) {
    this.#environment = environment;
    this.#statuses = statuses;
    this.#parts = parts;
  }

  /** The running units, in start order. */
  get units(): ReadonlyMap<string, Unit> {
    return this.#units;
  }

  /**
   * Creates a component and adds it as a unit; nothing reaches it before `connect`.
   * @throws Error naming it when it cannot be created
   */
  add(wanted: WantedUnit): Unit {
    const { kind, id } = wanted.config;
    const status = this.#statuses.open({ kind, id, pipelines: wanted.pipelines });
    try {
      const unit = {
        ...wanted,
        kind,
        id,
        name: `${kind} "${id}"`,
        status,
        ...this.#create(wanted.config, status),
      };
      status.observed = unit.component;
      this.#units = new Map([...this.#units, [unit.key, unit]]);
      return unit;
    } catch (error) {
      this.#statuses.close(status);
      throw new Error(`Cannot start ${kind} "${id}": ${describeError(error)}`, { cause: error });
    }
  }

  /** A unit was stopped. */
  remove(unit: Unit): void {
    this.#units = new Map([...this.#units].filter(([, one]) => one !== unit));
    this.#statuses.close(unit.status);
  }

  /** Ends the series that a processor published, except those that it forwards unchanged. */
  endSeries({ passage }: Unit): void {
    passage?.outgoing.end(this.#environment.clock.wallNs(), passage.incoming);
  }

  #create(config: WantedUnit['config'], status: StatusRecord): Pick<Unit, 'component' | 'entry' | 'passage'> {
    switch (config.kind) {
      case 'extension': {
        const context = { ...contextFor(this.#environment, 'extension', config.id), ...this.#parts };
        return { component: config.factory.create(config.settings, context), entry: refusing };
      }
      case 'exporter':
        return this.#createExporter(config, status);
      case 'processor':
        return this.#createProcessor(config, status);
    }
  }

  #createExporter({ id, factory, settings }: ComponentConfig<'exporter'>, status: StatusRecord) {
    const { meter } = this.#environment;
    const context = contextFor(this.#environment, 'exporter', id);
    const component = factory.create(settings, {
      ...context,
      findStorage: (name) => this.#findStorage(name),
    });
    const { log } = context;
    const counted = countStatus(guard(component, log), status);
    const active = bypassUnlessActive(counted, createDroppingConsumer(status), status);
    const passing = component.readBacklog ? active : countPassage(active, exporterCounters(meter, id));
    return { component, entry: leaveOut(passing, { id, log, meter }) };
  }

  #createProcessor({ id, factory, settings }: ComponentConfig<'processor'>, status: StatusRecord) {
    const { incoming, outgoing } = processorCounters(this.#environment.meter, id);
    const next = new Slot();
    const live = new LiveSeries(next);
    const counted = countPassage(live, outgoing);
    const context = contextFor(this.#environment, 'processor', id);
    const component = factory.create(settings, { ...context, owners: this.claims }, counted);
    const guarded = countStatus(guard(component, context.log), status);
    const active = passAround(bypassUnlessActive(guarded, counted, status), counted);
    const entering = new LiveSeries(countPassage(active, incoming));
    return { component, entry: entering, passage: { next, incoming: entering, outgoing: live } };
  }

  #findStorage(id: string): StorageExtension | undefined {
    const extension = this.#units.get(extensionKey(normalizeId(id)))?.component;
    return extension && isStorage(extension) ? extension : undefined;
  }

  /**
   * Connects the running units as the pipelines say. Later tables take the new route.
   * @param wanted the units in their order; units not in it are leaving
   */
  connect({ pipelines }: Pick<ServiceConfig, 'pipelines'>, wanted: readonly WantedUnit[]): void {
    this.#pipelines = pipelines;
    this.#sort(wanted);
    const entries = new Map(pipelines.map((pipeline) => [pipeline.id, this.#connectPipeline(pipeline)]));
    const named = new Set(pipelines.flatMap(({ receivers }) => receivers));
    for (const receiver of this.#routes.keys()) if (!named.has(receiver)) this.#routes.delete(receiver);
    for (const receiver of named) {
      const ids = pipelines.filter(({ receivers }) => receivers.includes(receiver)).map(({ id }) => id);
      this.routeOf(receiver).target = fanOut(ids.flatMap((id) => entries.get(id) ?? []));
    }
  }

  #sort(wanted: readonly WantedUnit[]): void {
    const sorted = wanted.flatMap(({ key, pipelines }) => {
      const unit = this.#units.get(key);
      unit?.status.assign(pipelines);
      return unit ? [[key, unit] as const] : [];
    });
    // A map keeps the order in which keys were first added.
    this.#units = new Map([...sorted, ...this.#units]);
  }

  #connectPipeline(pipeline: PipelineConfig): Consumer {
    const exporters = pipeline.exporters.flatMap((id) => this.#units.get(exporterKey(id))?.entry ?? []);
    const observers = this.#environment.observer ? [this.#environment.observer] : [];
    return listProcessorKeys(pipeline).reduceRight<Consumer>(
      (next, key) => {
        const processor = this.#units.get(key);
        if (processor?.passage) processor.passage.next.target = next;
        return processor?.entry ?? refusing;
      },
      fanOut([...exporters, ...observers]),
    );
  }

  /** The entry of a receiver's tables: all pipelines that name it. */
  routeOf(receiverId: string): Slot {
    return findOrAdd(this.#routes, receiverId, () => new Slot());
  }

  /** Whether a processor that the tables of a receiver reach consumes a metric that nothing else uses. */
  isConsumed(receiverId: string, { name }: Metric): boolean {
    const keys = this.#listReached(receiverId).flatMap(listProcessorKeys);
    return keys.some((key) => {
      const factory = this.#units.get(key)?.config.factory;
      return factory && 'consumes' in factory && factory.consumes?.some((one) => one.name === name);
    });
  }

  #listReached(receiverId: string | undefined): readonly PipelineConfig[] {
    return this.#pipelines.filter(
      ({ receivers }) => receiverId === undefined || receivers.includes(receiverId),
    );
  }

  /** The exporters that the tables of a receiver reach; without one, of all receivers. */
  findExporters(receiverId?: string): readonly ConsumingComponent[] {
    const keys = new Set(
      this.#listReached(receiverId).flatMap(({ exporters }) => exporters.map(exporterKey)),
    );
    // The component of an exporter is a consumer.
    return [...keys].flatMap(
      (key) => (this.#units.get(key)?.component as ConsumingComponent | undefined) ?? [],
    );
  }
}

/** Whether exporters can store requests in the extension. */
function isStorage(extension: Component): extension is StorageExtension {
  return 'openQueue' in extension;
}

/**
 * Passes every table to all consumers. Tables are immutable, so the consumers share one object.
 * @returns the consumer itself if there is only one
 */
function fanOut(consumers: readonly Consumer[]): Consumer {
  const [only] = consumers;
  if (consumers.length === 1 && only) return only;
  return {
    consume(table): boolean {
      let taken = true;
      for (const consumer of consumers) {
        if (!consumer.consume(table)) taken = false;
      }
      return taken;
    },
    consumeHistograms(table): boolean {
      let taken = true;
      for (const consumer of consumers) {
        if (!passHistograms(consumer, table)) taken = false;
      }
      return taken;
    },
  };
}
