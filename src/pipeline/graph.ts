import type { Meter } from '@opentelemetry/api';
import type { Owners } from '../component/claims.js';
import type { ConsumingComponent, Context, ExporterContext } from '../component/component.js';
import { passHistograms, type Consumer } from '../component/consumer.js';
import type { ComponentKind } from '../component/kinds.js';
import type { Log } from '../component/log.js';
import type { Sampling } from '../component/sampling.js';
import type { PipelineConfig } from '../config/pipelines.js';
import type { ServiceConfig } from '../config/service.js';
import type { Clock } from '../linux/clock.js';
import type { Metric, Resource } from '../model/series.js';
import { ClaimRegistry } from './claims.js';
import {
  countPassage,
  countStatus,
  dropFor,
  exporterCounters,
  guard,
  processorCounters,
  whileActive,
} from './guard.js';
import { leaveOut, passAround } from './histograms.js';
import type { Statuses, StatusRecord } from './statuses.js';

/** What a service lends to its components. */
export interface Environment {
  /** The log of one component; of the service itself, without arguments. */
  logFor(kind?: ComponentKind, id?: string): Log;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly host: Resource;
  readonly sampling: Sampling;
  /** Sees every table that reaches the exporters. */
  readonly observer?: Consumer | undefined;
  /** Called when every receiver that runs has passed on its last table. */
  onFinish?(): void;
  /** Called when a receiver has passed on its last table and could not do all that it was to do. */
  onProblem?(problem: string): void;
  /** Called when an extension asks the agent to end. */
  onShutdownRequest?(): void;
}

/** The context of one component. */
export function contextFor(environment: Environment, kind: ComponentKind, id: string): Context {
  const { clock, meter, host } = environment;
  return { id, clock, meter, host, log: environment.logFor(kind, id) };
}

/** A processor or exporter with the name that messages give it. */
export interface NamedConsumer {
  readonly kind: 'processor' | 'exporter';
  readonly id: string;
  readonly name: string;
  readonly component: ConsumingComponent;
  readonly status: StatusRecord;
}

/** Exporters and processors, connected. */
export interface Graph {
  /** In the order of their start: a consumer comes before the one that passes tables to it. */
  readonly consumers: readonly NamedConsumer[];
  /** Where the tables of a receiver enter: all pipelines that name it. Undefined: no pipeline does. */
  findEntry(receiverId: string): Consumer | undefined;
  /** The exporters that the tables of a receiver reach; of all receivers without one. */
  findExporters(receiverId?: string): readonly ConsumingComponent[];
  /** Whether a processor that the tables of a receiver reach takes a metric that nothing else uses. */
  isConsumed(receiverId: string, metric: Metric): boolean;
  /** What its receivers claim. */
  readonly claims: ClaimRegistry;
  readonly statuses: Statuses;
}

/** Creates the exporters, each once, and the processors, once per pipeline, and connects them. */
export function buildGraph(
  config: ServiceConfig,
  environment: Environment,
  { findStorage, statuses }: Required<Pick<ExporterContext, 'findStorage'>> & Pick<Graph, 'statuses'>,
): Graph {
  const consumers: NamedConsumer[] = [];
  const adopt = (named: Pick<NamedConsumer, 'kind' | 'id' | 'component'>, pipelines: readonly string[]) => {
    const { kind, id } = named;
    const status = statuses.open({ kind, id, pipelines });
    status.observed = named.component;
    consumers.push({ ...named, name: `${kind} "${id}"`, status });
    return status;
  };
  const { meter } = environment;
  const claims = new ClaimRegistry();
  const addExporter = (id: string): Consumer => {
    const { factory, settings } = find(config.exporters, id);
    const context = { ...contextFor(environment, 'exporter', id), findStorage };
    const exporter = factory.create(settings, context);
    const pipelines = config.pipelines.filter(({ exporters: ids }) => ids.includes(id)).map(idOf);
    const status = adopt({ kind: 'exporter', id, component: exporter }, pipelines);
    const log = environment.logFor('exporter', id);
    const counted = countStatus(guard(exporter, log), status);
    const active = whileActive(counted, dropFor(status), status);
    const passing = exporter.readBacklog ? active : countPassage(active, exporterCounters(meter, id));
    return leaveOut(passing, { id, log, meter });
  };
  const addProcessor = (id: string, pipeline: string, next: Consumer): Consumer => {
    const { incoming, outgoing } = processorCounters(meter, id);
    const counted = countPassage(next, outgoing);
    const processor = createProcessor(config, id, { environment, owners: claims, next: counted });
    const status = adopt({ kind: 'processor', id, component: processor }, [pipeline]);
    const guarded = countStatus(guard(processor, environment.logFor('processor', id)), status);
    return countPassage(passAround(whileActive(guarded, counted, status), counted), incoming);
  };
  const exporterIds = new Set(config.pipelines.flatMap((pipeline) => pipeline.exporters));
  const exporters = new Map([...exporterIds].map((id) => [id, addExporter(id)]));
  const observers = environment.observer ? [environment.observer] : [];
  const createEntry = ({ id: pipeline, processors, exporters: ids }: PipelineConfig): Consumer =>
    processors.reduceRight<Consumer>(
      (next, id) => addProcessor(id, pipeline, next),
      fanOut([...ids.map((id) => find(exporters, id)), ...observers]),
    );
  const entries = config.pipelines.map((pipeline) => ({ pipeline, entry: createEntry(pipeline) }));
  return {
    consumers,
    claims,
    statuses,
    findEntry(receiverId) {
      const named = entries.filter(({ pipeline }) => pipeline.receivers.includes(receiverId));
      return named.length === 0 ? undefined : fanOut(named.map(({ entry }) => entry));
    },
    isConsumed(receiverId, { name }) {
      const reached = config.pipelines.filter(({ receivers }) => receivers.includes(receiverId));
      const processors = reached.flatMap((pipeline) => pipeline.processors);
      return processors.some((id) =>
        find(config.processors, id).factory.consumes?.some((one) => one.name === name),
      );
    },
    findExporters(receiverId) {
      const reached = config.pipelines.filter(
        ({ receivers }) => receiverId === undefined || receivers.includes(receiverId),
      );
      const ids = new Set(reached.flatMap((pipeline) => pipeline.exporters));
      return consumers
        .filter(({ kind, id }) => kind === 'exporter' && ids.has(id))
        .map(({ component }) => component);
    },
  };
}

function idOf({ id }: PipelineConfig): string {
  return id;
}

function createProcessor(
  config: ServiceConfig,
  id: string,
  {
    environment,
    owners,
    next,
  }: { readonly environment: Environment; readonly owners: Owners; readonly next: Consumer },
): ConsumingComponent {
  const { factory, settings } = find(config.processors, id);
  return factory.create(settings, { ...contextFor(environment, 'processor', id), owners }, next);
}

function find<Value>(known: ReadonlyMap<string, Value>, id: string): Value {
  const value = known.get(id);
  if (value === undefined)
    throw new Error(`Cannot build the pipelines: expected a component "${id}", found none`);
  return value;
}

/**
 * Gives every table to all consumers. Tables are immutable, so they share one object.
 * @returns the consumer itself where there is only one
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
