import { createNoopMeter, type Meter } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import type { HistogramTable } from '../model/histogram-table.js';
import type { Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import type { AgentControl } from './agent-control.js';
import { freeClaims, noOwners } from './claims.js';
import type { ProcessorContext, ReceiverContext } from './component.js';
import type { Consumer } from './consumer.js';
import type { Log } from './log.js';
import type { RunningSampler } from './sampling.js';

/** A consumer that keeps what it receives. */
export interface TableCollector extends Consumer {
  readonly tables: Table[];
  readonly histograms: HistogramTable[];
  /** The last value of each series with this metric name, in order of first appearance. */
  last(metricName: string): { readonly series: Series; readonly value: number }[];
}

export function createTableCollector(): TableCollector {
  const tables: Table[] = [];
  const histograms: HistogramTable[] = [];
  return {
    tables,
    histograms,
    consume(table) {
      tables.push(table);
      return true;
    },
    consumeHistograms(table) {
      histograms.push(table);
      return true;
    },
    last(metricName) {
      const values = new Map<Series, number>();
      for (const { series, values: cells } of tables) {
        cells.forEach((value, cell) => {
          const one = series[cell % series.length];
          if (one?.metric.name === metricName) values.set(one, value);
        });
      }
      return [...values].map(([series, value]) => ({ series, value }));
    },
  };
}

/** A log that keeps `level: message` lines. */
export interface LogCollector extends Log {
  readonly lines: string[];
}

export function createLogCollector(): LogCollector {
  const lines: string[] = [];
  const keep = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  return { lines, debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}

/** A per-process anchor: two readings within a millisecond have different instants. */
const wallAnchorNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

/** The context of a receiver or a processor. */
export type FakeContext = ReceiverContext & ProcessorContext;

/** A context for tests: real clocks, a log that keeps its lines, no own telemetry, no other receiver, no sampling threads. */
export function createFakeContext(overrides: Partial<FakeContext> = {}): FakeContext {
  return {
    id: 'test',
    log: createLogCollector(),
    clock: {
      wallNs: () => wallAnchorNs + process.hrtime.bigint(),
      monotonicNs: () => process.hrtime.bigint(),
      countBreaks: () => 0,
    },
    meter: createNoopMeter(),
    host: { attributes: {} },
    claims: freeClaims,
    owners: noOwners,
    sampling: {
      start: () =>
        Promise.reject(
          new Error('Cannot sample: expected sampling threads, found a context for tests without any'),
        ),
      shutdown: () => Promise.resolve(),
    },
    ...overrides,
  };
}

const done = () => Promise.resolve();

/** A sampler that does nothing, for tests. */
export function createFakeSampler(overrides: Partial<RunningSampler> = {}): RunningSampler {
  const idle = { stop: done, flush: done, update: done, pause: done, resume: done, setPeriod: done };
  return { ...idle, lastSignMs: 0, isFailing: false, ...overrides };
}

/** The agent for an extension in tests: it has no components, and does nothing. */
export function createFakeAgent(overrides: Partial<AgentControl> = {}): AgentControl {
  return {
    reload: () => Promise.resolve({ outcome: 'unchanged', started: [], stopped: [], restarted: [] }),
    isStopping: false,
    listComponents: () => [],
    pause: done,
    resume: done,
    setInterval: done,
    trigger: done,
    stop: done,
    findStall: () => undefined,
    flush: done,
    shutdown() {},
    ...overrides,
  };
}

class PlainReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** A test meter whose instruments can be read. */
export interface MeterReader {
  readonly meter: Meter;
  /** The current values, as `name{values of the attributes}`; for a histogram, the number of recordings. */
  read(): Promise<Record<string, number>>;
}

export function createMeterReader(): MeterReader {
  const reader = new PlainReader();
  const meter = new MeterProvider({ readers: [reader] }).getMeter('test');
  return {
    meter,
    async read() {
      const { resourceMetrics } = await reader.collect();
      const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
      const entries = metrics.flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => [
          `${descriptor.name}{${Object.values(attributes).join()}}`,
          typeof value === 'number' ? value : value.count,
        ]),
      );
      return Object.fromEntries(entries);
    },
  };
}
