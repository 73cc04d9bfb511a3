// joulemetry/plugin: the one entry for components of third parties. It changes only with the major version.
// Everything else that the package exports is internal.
export type {
  Component,
  ConsumingComponent,
  Context,
  ExporterFactory,
  ExtensionContext,
  ExtensionFactory,
  Need,
  ProcessorContext,
  ProcessorFactory,
  ReceiverContext,
  ReceiverFactory,
  StorageExtension,
} from './component/component.js';
export type { ComponentKind } from './component/kinds.js';
export type {
  AgentControl,
  ComponentState,
  ComponentStatus,
  ReloadResult,
  SettingChanges,
} from './component/agent-control.js';
export type { Claims, Owners } from './component/claims.js';
export type { Clock } from './linux/clock.js';
export { passHistograms, type Consumer } from './component/consumer.js';
export type { Log } from './component/log.js';
export type { Probe, Remedy } from './component/probe.js';
export { describeError, ExportError, UnavailableError } from './errors.js';

export type { ConfigOf, Schema } from './component/schema.js';
export { parseSettings } from './config/settings.js';

export {
  deriveSeries,
  type AnySeries,
  type Attributes,
  type AttributeValue,
  type HistogramKind,
  type HistogramMetric,
  type HistogramSeries,
  type Metric,
  type MetricKind,
  type Resource,
  type Series,
} from './model/series.js';
export { countPoints, createEnding, createRow, type Table } from './model/table.js';
export {
  HistogramRow,
  HistogramRows,
  type ExplicitLayout,
  type ExponentialLayout,
  type HistogramLayout,
  type HistogramTable,
} from './model/histogram-table.js';
export { createPlans } from './model/plan.js';
export { createMappingProcessor } from './component/mapping-processor.js';

export { createScrapingReceiver, type OpenScraper } from './scraping/scraping-receiver.js';
export {
  createPollingReceiver,
  type PollingReceiverOptions,
  type PollingTargets,
} from './scraping/polling-receiver.js';
export type { PollingTarget } from './scraping/polling-target.js';
export { TableSet } from './scraping/table-set.js';
export {
  createSamplingReceiver,
  type SamplingReceiver,
  type SamplingReceiverOptions,
} from './sampling/sampling-receiver.js';
export type { Scraper } from './scraping/scrape-loop.js';
export { createSourceReceiver, probeSources, type NamedSource } from './scraping/scraping-receiver.js';
export { watchGaps, type Gap, type GapOptions } from './sampling/gaps.js';
export { forEachLine, parseLine } from './scraping/lines.js';
export type { CounterColumn } from './scraping/counter-table.js';
export { Counts } from './scraping/counts.js';
export type { GaugeColumn } from './scraping/gauge-table.js';
export type { OpenSampler, RunningSampler, Sampler, SamplerRequest, Sampling } from './component/sampling.js';

// For samplers, which allocate nothing.
export { openRegularFile } from './linux/regular-file.js';
export { parseCounter, readFromStart } from './linux/sysfs.js';

export { parseEndpoint } from './config/endpoint.js';
export { batchSettings, QueuedExporter, type Encoder } from './export/queued-exporter.js';
export type { QueuedRequest, QueueStorage, StoredBytes, StoredRequest } from './component/queue-storage.js';
export { retrySettings } from './export/retry.js';
export type { Delivery, Sender } from './export/request-delivery.js';
export { sendingQueueSettings } from './export/sending-queue.js';

// For tests of components; `joulemetry test-component` runs those that every component must pass.
export {
  createFakeAgent,
  createFakeContext,
  createLogCollector,
  createTableCollector,
} from './component/fakes.js';
