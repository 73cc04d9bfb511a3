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

/** What every component has. The engine calls `start` once, then `shutdown` at least once. */
export interface Component {
  /**
   * Begins to work and returns quickly: what takes long goes on afterwards. Every component that this one hands
   * tables to has been started before.
   * @throws Error, in the words of a user, when the component cannot do its work at all
   */
  start(): void | Promise<void>;
  /**
   * Receivers that have started: whether they lack the main thing that they are to read, as a meter of energy that can
   * read memory but no package. Then those that stand in for it (`fallback_for`) start all the same.
   */
  readonly isPartial?: boolean;
  /** Exporters: whether the last attempt to deliver something failed, and will be repeated. */
  readonly isFailing?: boolean;
  /**
   * Receivers: takes a reading now and passes on everything that was read until then. Processors and exporters: pass on, or
   * put into their queue, what waits for more of its kind.
   */
  flush?(): void | Promise<void>;
  /**
   * Stops and releases every descriptor, timer, thread and socket, passing on what it still holds first. Safe
   * without `start` and safe to call twice. No table arrives afterwards.
   * @param timeoutMs how long it may take; what cannot be passed on in that time is dropped and counted, and the
   * caller waits no longer. Without it, the component's own limit holds.
   */
  shutdown(timeoutMs?: number): void | Promise<void>;
}

/** A component that takes tables. */
export interface ConsumingComponent extends Component, Consumer {
  /** Exporters: how full their queue is, from 0 (nothing waits) to 1 (no room is left). Those that never wait lack it. */
  readBacklog?(): number;
}

/** What the engine lends to every component. */
export interface Context {
  /** As in the configuration: `rapl` or `rapl/second`. */
  readonly id: string;
  readonly log: Log;
  readonly clock: Clock;
  /** The collector's own telemetry; its instruments do nothing unless own telemetry is on. */
  readonly meter: Meter;
  /** The machine, as every receiver names it. The `resource` processor adds what it detects. */
  readonly host: Resource;
}

export interface ExporterContext extends Context {
  /** The extension with this id, if it runs and stores requests. */
  findStorage?(id: string): StorageExtension | undefined;
}

export interface ReceiverContext extends Context {
  /** Sampling threads, for sources that are read often. */
  readonly sampling: Sampling;
  /** Asked before something is published that a machine has once only. */
  readonly claims: Claims;
  /** Where what reads at an interval joins, so that it can be paused and given another interval. Absent where nothing does that. */
  readonly loops?: ReadingLoops;
  /**
   * Fulfilled when every receiver has started, and so has claimed what it publishes. Not there where there are no
   * others.
   */
  readonly othersStarted?: Promise<unknown>;
  /**
   * Says that this receiver has passed on its last table. Once every receiver that runs has done that, the agent ends
   * as after a signal. Absent where nothing waits for it.
   * @param problem what this receiver could not do of what it was to do, if so: the agent ends with exit code 1,
   * whatever ends it
   */
  finish?(problem?: string): void;
  /**
   * Whether a processor behind this receiver takes a metric that nothing else uses (`ProcessorFactory.consumes`): only
   * then it is worth publishing. Absent where that is unknown.
   */
  isConsumed?(metric: Metric): boolean;
  /**
   * How full the fullest queue is that this receiver's tables reach, from 0 to 1. Who can wait, as files can, need not
   * have its tables refused nor let them take the place of others. Absent where that is unknown.
   */
  readBacklog?(): number;
}

export interface ProcessorContext extends Context {
  /** Which receiver publishes what the machine has once only. */
  readonly owners: Owners;
}

export interface ExtensionContext extends Context {
  /** True from the moment the whole pipeline runs until the shutdown begins. */
  isReady(): boolean;
  /** The agent that it is part of. */
  readonly agent: AgentControl;
}

/** An extension that stores requests of exporters, which name it in `sending_queue.storage`. */
export interface StorageExtension extends Component {
  /**
   * Opens the requests of an exporter, those of an earlier run included. Once for each exporter.
   * @throws Error that says what is missing
   */
  openQueue(exporterId: string): Promise<QueueStorage>;
}

interface Factory<S extends Schema> {
  /** The settings: the one place for default, doc and format of each. */
  readonly schema: S;
  /**
   * What to write instead of settings that the OpenTelemetry Collector has and this component has not, by their paths
   * in the component's own settings: `tls.cert_pem`, `jobs[].name` in a list.
   */
  readonly replacedSettings?: Readonly<Record<string, string>>;
  /**
   * Problems that only show in the settings taken together, each `path: expected <...>, found <...>`, where
   * the path begins at the component's own settings.
   */
  check?(config: ConfigOf<S>): readonly string[];
  /** Where it will listen, each `host:port`; not there for what listens nowhere. `doctor` looks whether that is free. */
  listensAt?(config: ConfigOf<S>): readonly string[];
}

/** Series that a receiver publishes wherever it runs. */
export interface ExpectedSeries {
  /** The name of their metric. */
  readonly metric: string;
  /** What of the settings distinguishes them from others of the metric: a domain, a filter of devices. Empty: nothing. */
  readonly scope: string;
}

/** A source of tables. */
export interface ReceiverFactory<S extends Schema = Schema> extends Factory<S> {
  /** Every metric that it may emit; empty: any metric, as its source has them. */
  readonly metrics: readonly Metric[];
  /**
   * What it is sure to publish with these settings, as far as that is known without reading anything: `validate` and
   * `doctor` warn of two receivers that publish the same.
   */
  expectedSeries?(config: ConfigOf<S>): readonly ExpectedSeries[];
  /**
   * Starts after those that do not, so that what it claims goes to them: a meter of boards and rails (`board`) yields to
   * the meters of the components on them, a model (`model`) to all meters.
   */
  readonly yields?: 'board' | 'model';
  /** Reads on the sampling thread, which begins before any receiver starts where the source is there. */
  readonly samples?: true;
  /** Looks whether the source is here and may be read. Opens nothing that stays open. */
  probe(config: ConfigOf<S>, context: ReceiverContext): Probe | Promise<Probe>;
  create(config: ConfigOf<S>, context: ReceiverContext, next: Consumer): Component;
}

/** Metrics of which a processor must get at least one, or it does nothing. */
export interface Need {
  /** For messages: `energy`. */
  readonly what: string;
  /** Names of metrics. */
  readonly metrics: readonly string[];
  /** Receivers that publish one of them, for messages: `rapl or estimate`. */
  readonly from: string;
}

/** Changes tables on their way. One instance per pipeline. */
export interface ProcessorFactory<S extends Schema = Schema> extends Factory<S> {
  /** Every metric that it may add, besides those that only settings name. */
  readonly metrics?: readonly Metric[];
  /** The names of the metrics that these settings name. */
  namedMetrics?(config: ConfigOf<S>): readonly string[];
  /** What it works on. A pipeline that publishes none of a need's metrics before this processor is refused. */
  readonly needs?: readonly Need[];
  /** What receivers publish for it alone, and it does not forward. */
  readonly consumes?: readonly Metric[];
  create(config: ConfigOf<S>, context: ProcessorContext, next: Consumer): ConsumingComponent;
}

/** Takes tables out of the collector. One instance for all pipelines that name it. */
export interface ExporterFactory<S extends Schema = Schema> extends Factory<S> {
  create(config: ConfigOf<S>, context: ExporterContext): ConsumingComponent;
}

/** Something beside the pipelines, say a health endpoint. */
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
