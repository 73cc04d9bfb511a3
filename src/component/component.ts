import type { Meter } from '@opentelemetry/api';
import type { Clock } from '../linux/clock.js';
import type { Metric, Resource } from '../model/series.js';
import type { AgentControl } from './agent-control.js';
import type { Claims, Owners } from './claims.js';
import type { Consumer } from './consumer.js';
import type { Log } from './log.js';
import type { Probe } from './probe.js';
import type { QueueStorage } from './queue-storage.js';
import type { ReadingLoops } from './reading-loop.js';
import type { Sampling } from './sampling.js';
import type { ConfigOf, Schema } from './schema.js';

/** The lifecycle of every component. The engine calls `start` once, then `shutdown` at least once. */
export interface Component {
  /**
   * Starts the component and returns quickly: long work continues afterwards. Every component that this one
   * passes tables to has been started before.
   * @throws Error, with a message for users, when the component cannot work at all
   */
  start(): void | Promise<void>;
  /**
   * Receivers, after the start: whether the main source is missing, as for an energy meter that can read memory
   * but no package. Then its fallbacks (`fallback_for`) start, too.
   */
  readonly isPartial?: boolean;
  /** Exporters: whether the last attempt to deliver something failed, and will be repeated. */
  readonly isFailing?: boolean;
  /**
   * Receivers: takes a reading now and forwards all readings so far. Processors and exporters: forwards, or
   * queues, what is held back for batching.
   */
  flush?(): void | Promise<void>;
  /**
   * Stops and releases every descriptor, timer, thread and socket, after forwarding what it holds. Safe without
   * `start` and safe to call twice. No table arrives afterwards.
   * @param timeoutMs how long it may take; what cannot be forwarded in that time is dropped and counted, and
   * the caller stops waiting. Without it, the component uses its own limit.
   */
  shutdown(timeoutMs?: number): void | Promise<void>;
}

/** A component that accepts tables. */
export interface ConsumingComponent extends Component, Consumer {
  /** Exporters: the fill level of their queue, from 0 (empty) to 1 (full). Absent in exporters without a queue. */
  readBacklog?(): number;
}

/** What the engine provides to every component. */
export interface Context {
  /** As in the configuration: `rapl` or `rapl/second`. */
  readonly id: string;
  readonly log: Log;
  readonly clock: Clock;
  /** The collector's own telemetry; its instruments do nothing unless own telemetry is on. */
  readonly meter: Meter;
  /** The machine's resource, which every receiver uses. The `resource` processor adds what it detects. */
  readonly host: Resource;
}

export interface ExporterContext extends Context {
  /** The extension with this id, if it is running and stores requests. */
  findStorage?(id: string): StorageExtension | undefined;
}

export interface ReceiverContext extends Context {
  /** Sampling threads, for sources that are read often. */
  readonly sampling: Sampling;
  /** Must be asked before publishing what a machine has only once. */
  readonly claims: Claims;
  /**
   * Registers the receiver's loops, so that they can be paused and their interval can be changed. Absent in
   * tests and tools.
   */
  readonly loops?: ReadingLoops;
  /**
   * Fulfilled when every receiver has started, and so has claimed what it publishes. Absent where there are no
   * others.
   */
  readonly othersStarted?: Promise<unknown>;
  /**
   * Reports that this receiver has forwarded its last table. Once all running receivers have done so, the agent
   * shuts down. Absent where nothing waits for it.
   * @param problem what this receiver could not do; if set, the agent ends with exit code 1, for whatever
   * reason it ends
   */
  finish?(problem?: string): void;
  /**
   * Whether a downstream processor consumes a metric that nothing else uses (`ProcessorFactory.consumes`): only
   * then is it worth publishing. Absent where that is unknown.
   */
  isConsumed?(metric: Metric): boolean;
  /**
   * Fill level of the fullest queue that this receiver's tables reach, from 0 to 1. Receivers that can wait,
   * such as those of files, should wait instead of having tables refused or displacing others. Absent where
   * that is unknown.
   */
  readBacklog?(): number;
}

export interface ProcessorContext extends Context {
  /** Which receiver publishes what the machine has only once. */
  readonly owners: Owners;
}

export interface ExtensionContext extends Context {
  /** True from the moment the whole pipeline runs until the shutdown begins. */
  isReady(): boolean;
  /** The agent that the extension is part of. */
  readonly agent: AgentControl;
}

/** An extension that stores the requests of exporters that name it in `sending_queue.storage`. */
export interface StorageExtension extends Component {
  /**
   * Opens the requests of an exporter, those of an earlier run included. Once for each exporter.
   * @throws Error that reports what is missing
   */
  openQueue(exporterId: string): Promise<QueueStorage>;
}

interface Factory<S extends Schema> {
  /** The settings: the only place for default, doc and format of each. */
  readonly schema: S;
  /**
   * What to write instead of settings that the OpenTelemetry Collector has but this component does not have, by
   * path in the component's settings: `tls.cert_pem`, `jobs[].name` in a list, `format=xml` for a choice.
   */
  readonly replacedSettings?: Readonly<Record<string, string>>;
  /**
   * Finds problems between settings, each `path: expected <...>, found <...>`, where the path is relative to
   * the component's settings.
   */
  check?(config: ConfigOf<S>): readonly string[];
  /** The addresses on which it will listen, each `host:port`; `doctor` checks that they are free. */
  listensAt?(config: ConfigOf<S>): readonly string[];
}

/** Series that a receiver publishes wherever it runs. */
export interface ExpectedSeries {
  /** The metric name. */
  readonly metric: string;
  /**
   * What distinguishes them, by settings, from other series of the metric: a domain, a device filter. Empty:
   * nothing.
   */
  readonly scope: string;
}

/** A source of tables. */
export interface ReceiverFactory<S extends Schema = Schema> extends Factory<S> {
  /** Every metric that it may emit; empty: any metric that its source has. */
  readonly metrics: readonly Metric[];
  /**
   * What it certainly publishes with these settings, as far as that is known without reading its source:
   * `validate` and `doctor` warn of two receivers that publish the same.
   */
  expectedSeries?(config: ConfigOf<S>): readonly ExpectedSeries[];
  /**
   * Starts after receivers without this field, so that they win claims: a meter of boards and rails (`board`)
   * yields to meters of components, one that measures only at times (`intermittent`) to those that always do, and
   * a model (`model`) to all meters.
   */
  readonly yields?: 'board' | 'intermittent' | 'model';
  /** Reads on the sampling thread, which is started before any receiver if the source exists. */
  readonly samples?: true;
  /** Checks whether the source exists and is readable. Leaves nothing open. */
  probe(config: ConfigOf<S>, context: ReceiverContext): Probe | Promise<Probe>;
  create(config: ConfigOf<S>, context: ReceiverContext, next: Consumer): Component;
}

/** Metrics of which a processor needs at least one to do anything. */
export interface Need {
  /** For messages: `energy`. */
  readonly what: string;
  /** Names of metrics. */
  readonly metrics: readonly string[];
  /** Receivers that publish one of them, for messages: `rapl or estimate`. */
  readonly from: string;
}

/** Transforms tables. One instance per pipeline. */
export interface ProcessorFactory<S extends Schema = Schema> extends Factory<S> {
  /** Every metric that it may add, except those named by settings. */
  readonly metrics?: readonly Metric[];
  /** The metric names in these settings. */
  namedMetrics?(config: ConfigOf<S>): readonly string[];
  /** Its inputs. A pipeline in which no earlier component publishes a metric of each need is refused. */
  readonly needs?: readonly Need[];
  /** Metrics that receivers publish for this processor only, and that it does not forward. */
  readonly consumes?: readonly Metric[];
  create(config: ConfigOf<S>, context: ProcessorContext, next: Consumer): ConsumingComponent;
}

/** Sends tables out of the collector. One instance for all pipelines that use it. */
export interface ExporterFactory<S extends Schema = Schema> extends Factory<S> {
  create(config: ConfigOf<S>, context: ExporterContext): ConsumingComponent;
}

/** A service outside the pipelines, for example a health endpoint. */
export interface ExtensionFactory<S extends Schema = Schema> extends Factory<S> {
  create(config: ConfigOf<S>, context: ExtensionContext): Component;
}

/** The factory of each kind. A component folder's `factory.ts` exports one as `factory`. */
export interface Factories {
  readonly receiver: ReceiverFactory;
  readonly processor: ProcessorFactory;
  readonly exporter: ExporterFactory;
  readonly extension: ExtensionFactory;
}
