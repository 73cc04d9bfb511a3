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

/** For tests: a real meter, and what its instruments say by now, as `name{values of the attributes}`. */
export function createMeterReader(): { meter: Meter; read: () => Promise<Record<string, number>> } {
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
          Number(value),
        ]),
      );
      return Object.fromEntries(entries);
    },
  };
}
