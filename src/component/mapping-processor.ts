import { HistogramMap } from '../model/map-histograms.js';
import { SeriesMap } from '../model/map-series.js';
import type { Reduction } from '../model/mapped-series.js';
import { OnePublisher } from '../model/one-publisher.js';
import type { AnySeries, Series } from '../model/series.js';
import { reportConflicts } from './claims.js';
import type { ConsumingComponent, Context } from './component.js';
import { passHistograms, type Consumer } from './consumer.js';

/**
 * A processor that maps series to other series. Where several series become the same, counters and up-down
 * counters are summed, and of gauges and histograms the first one is kept, with one warning per metric. If
 * series of two receivers become the same, the later one is left out, with one warning per pair of receivers.
 * @param map called once per series; maps number series to number series, and histogram series to histogram
 * series
 * @param reductionOf how equal mapped series are combined, if not by default
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
      `Cannot distinguish series of the ${kind} "${name}": expected different attributes, found the same; the first series of each is kept, the others are left out`,
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
