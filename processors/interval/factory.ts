import type { ProcessorFactory } from '../../src/component/component.js';
import { RowChoosingProcessor } from '../../src/component/row-choosing.js';
import type { MetricKind, Series } from '../../src/model/series.js';
import { schema } from './config.js';
import { LastRow } from './last-row.js';

/** Forwards the last row of each interval. */
export const factory: ProcessorFactory<typeof schema> = {
  schema,
  create({ interval, pass_through: passThrough }, _context, next) {
    const isPassed = {
      gauge: passThrough.gauge,
      updowncounter: passThrough.up_down_counter,
      counter: false,
    } as const satisfies Record<MetricKind, boolean>;
    const choosing = {
      concerns: ({ metric }: Series) => !isPassed[metric.kind],
      createChooser: (width: number) => new LastRow(width, Math.round(interval * 1e6)),
    };
    return new RowChoosingProcessor(choosing, next);
  },
};
