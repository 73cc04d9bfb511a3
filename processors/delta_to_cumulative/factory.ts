import type { ProcessorFactory } from '../../src/component/component.js';
import { createMappingProcessor } from '../../src/component/mapping-processor.js';
import type { AnySeries, Metric } from '../../src/model/series.js';
import { schema } from './config.js';

/** Makes exporters send cumulative sums, whatever the processors before asked for. */
export const factory: ProcessorFactory<typeof schema> = {
  schema,
  create(_config, context, next) {
    const metrics = new WeakMap<Metric, Metric>();
    const map = <S extends AnySeries>(series: S): S => {
      const { metric } = series;
      if (metric.kind !== 'counter' || metric.delta === undefined) return series;
      const { delta: _, ...cumulative } = metric;
      const unmarked = metrics.get(metric) ?? cumulative;
      metrics.set(metric, unmarked);
      return { ...series, metric: unmarked };
    };
    return createMappingProcessor(map, context, next);
  },
};
