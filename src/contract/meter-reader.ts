import type { Meter } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';

class PlainReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** A meter whose instruments can be read, for tests. */
export interface MeterReader {
  readonly meter: Meter;
  /** The values by now, as `name{values of the attributes}`; of a histogram, how often it was recorded. */
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
