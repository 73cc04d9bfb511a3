import { HistogramMap } from '../model/map-histograms.js';
import { SeriesMap } from '../model/map-series.js';
import type { Reduction } from '../model/mapped-series.js';
import { OnePublisher } from '../model/one-publisher.js';
import type { AnySeries, Series } from '../model/series.js';
import { reportConflicts } from './claims.js';
import type { ConsumingComponent, Context } from './component.js';
import { passHistograms, type Consumer } from './consumer.js';

/**
 * A processor that makes other series of the series that come. Where several become the same, counters and
 * up-down counters are summed, and of gauges and histograms the first one stays, with one warning for each metric. Of two
 * receivers' series that become the same, the later one is left out, with one warning for each two receivers.
 * @param map asked once per series; of numbers it makes series of numbers, and of histograms those of histograms
 * @param reductionOf what becomes of mapped series that are the same, where it is something else
 */
export function createMappingProcessor(
  map: <S extends AnySeries>(series: S) => S,
  context: Context,
  next: Consumer,
  reductionOf?: (mapped: Series) => Reduction | undefined,
): ConsumingComponent {
  const warned = new Set<string>();
  const warnOf = (kind: string) => (series: AnySeries) => {
    const { name } = series.metric;
    if (warned.has(name)) return;
    warned.add(name);
    context.log.warn(
      `Cannot tell series of the ${kind} "${name}" apart any more: expected different attributes, found the same; the first series of each is kept, the others are left out`,
    );
  };
  const seriesMap = new SeriesMap({
    map,
    onConflict: warnOf('gauge'),
    ...(reductionOf && { reductionOf }),
  });
  const histogramMap = new HistogramMap({ map, onConflict: warnOf('histogram') });
  const publishers = new OnePublisher(reportConflicts(() => context.log));
  return {
    start() {},
    consume(table) {
      const mapped = seriesMap.apply(table);
      const published = mapped && publishers.apply(mapped);
      return published === undefined || next.consume(published);
    },
    consumeHistograms(table) {
      const mapped = histogramMap.apply(table);
      const published = mapped && publishers.applyHistograms(mapped);
      return published === undefined || passHistograms(next, published);
    },
    shutdown() {},
  };
}
