import { SeriesMap } from '../model/map-series.js';
import { OnePublisher } from '../model/one-publisher.js';
import type { Series } from '../model/series.js';
import { reportConflicts } from './claims.js';
import type { ConsumingComponent, Context } from './component.js';
import type { Consumer } from './consumer.js';

/**
 * A processor that makes other series of the series that come. Where several become the same, counters and
 * up-down counters are summed, and of gauges the first one stays, with one warning for each metric. Of two receivers'
 * series that become the same, the later one is left out, with one warning for each two receivers.
 * @param map asked once per series
 */
export function createMappingProcessor(
  map: (series: Series) => Series,
  context: Context,
  next: Consumer,
): ConsumingComponent {
  const warned = new Set<string>();
  const onConflict = ({ metric }: Series) => {
    if (warned.has(metric.name)) return;
    warned.add(metric.name);
    context.log.warn(
      `Cannot tell series of the gauge "${metric.name}" apart any more: expected different attributes, found the same; the first series of each is kept, the others are left out`,
    );
  };
  const seriesMap = new SeriesMap({ map, onConflict });
  const publishers = new OnePublisher(reportConflicts(() => context.log));
  return {
    start() {},
    consume(table) {
      const mapped = seriesMap.apply(table);
      const published = mapped && publishers.apply(mapped);
      return published === undefined || next.consume(published);
    },
    shutdown() {},
  };
}
