import type { ProcessorFactory } from '../../src/component/component.js';
import { RowChoosingProcessor } from '../../src/component/row-choosing.js';
import type { Series } from '../../src/model/series.js';
import { schema } from './config.js';
import { SwingingDoor } from './swinging-door.js';

/** Forwards only those rows of counters without which their curves would be wrong by more than an error. */
export const factory: ProcessorFactory<typeof schema> = {
  schema,
  create({ metrics, error, heartbeat }, _context, next) {
    const names = new Set(metrics);
    const choosing = {
      concerns: ({ metric }: Series) => metric.kind === 'counter' && names.has(metric.name),
      createChooser: (width: number) => new SwingingDoor(width, { error, heartbeatNs: heartbeat * 1e6 }),
    };
    return new RowChoosingProcessor(choosing, next);
  },
};
