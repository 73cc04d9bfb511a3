import type { ProcessorFactory } from '../../src/component/component.js';
import { RowChoosingProcessor } from '../../src/component/row-choosing.js';
import type { Series } from '../../src/model/series.js';
import { schema } from './config.js';
import { LastRow } from './last-row.js';

/** Forwards the last row of each interval. */
export const factory: ProcessorFactory<typeof schema> = {
  schema,
  create({ interval, pass_through: { gauge: passesGauges } }, _context, next) {
    const choosing = {
      concerns: ({ metric }: Series) => !(passesGauges && metric.kind === 'gauge'),
      createChooser: (width: number) => new LastRow(width, Math.round(interval * 1e6)),
    };
    return new RowChoosingProcessor(choosing, next);
  },
};
